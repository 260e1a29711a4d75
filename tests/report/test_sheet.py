import numpy as np

from ssr.config import Config
from ssr.data.index import Image, Index
from ssr.report.sheet import HEAD, draw_sheet
from ssr.report.shown import ShownImage, Stores, read
from ssr.report.stages import PANELS
from tests.report.finished_run import FinishedRun

NAMES = ["background", "cat", "dog", "owl"]


def test_a_column_per_stage_and_a_row_per_class(finished: FinishedRun, stores: Stores) -> None:
    images = Index.read(finished.results / "index.parquet").images
    shown = [read(image, finished.root, stores, Config()) for image in images]
    sheet = draw_sheet(shown, NAMES)
    rows = sum(max(len(image.labels), 1) for image in images)
    assert sheet.shape == (HEAD + rows * (168 + 6), len(PANELS) * (224 + 6), 3)
    np.testing.assert_array_equal(sheet[HEAD : HEAD + 168, :224], shown[0].pixels)
    second_row = sheet[HEAD + 174 : HEAD + 342]
    assert (second_row[:, :224] == 255).all(), "the image stands in its first row only"
    assert (second_row[:, 230:454] < 255).any(), "but every class has its CAM"


def test_an_image_without_classes_has_one_row() -> None:
    pixels = np.zeros((10, 20, 3), np.uint8)
    image = ShownImage(Image("a", "a.png", 20, 10, "val", (), "val_0000"), pixels, ())
    assert draw_sheet([image], NAMES).shape == (HEAD + 16, 26, 3)
