from io import BytesIO

import pytest
from PIL import Image as Picture

from ssr.config import Config
from ssr.data.index import Index
from ssr.report.figures import panels
from ssr.report.files import PAGE_INCHES
from ssr.report.plates import PLATES, columns_of, plate_files
from ssr.report.shown import ShownImage, Stores, read
from tests.report.finished_run import FinishedRun

NAMES = ["background", "cat", "dog", "owl"]


@pytest.fixture(scope="module")
def shown(finished: FinishedRun, stores: Stores) -> list[ShownImage]:
    images = Index.read(finished.results / "index.parquet").images
    return [read(image, finished.root, stores, Config()) for image in images[2:]]


def test_every_plate_is_there_in_every_format(shown: list[ShownImage]) -> None:
    plates = dict(plate_files(shown, NAMES))
    assert list(plates) == list(PLATES)
    for files in plates.values():
        assert list(files) == ["png", "pdf", "svg"]
        picture = Picture.open(BytesIO(files["png"]))
        inches = picture.width / picture.info["dpi"][0]
        assert inches == pytest.approx(PAGE_INCHES, abs=0.01)


def test_cams_and_predictions_of_other_systems_are_columns_of_their_plates(
    finished: FinishedRun, stores_with_peers: Stores
) -> None:
    image = Index.read(finished.results / "index.parquet").images[0]
    shown = read(image, finished.root, stores_with_peers, Config())
    columns = {name: columns_of(name, panels(shown)) for name in PLATES}
    assert columns["cams"] == [*PLATES["cams"][:-1], "initial_cam/peer", "truth"]
    assert columns["segmentations"][-2:] == ["prediction/peer_seg", "truth"]
    assert columns["refinement"] == [*PLATES["refinement"]]


def test_plates_whose_stages_have_not_run_are_left_out(
    finished: FinishedRun, empty_stores: Stores
) -> None:
    image = Index.read(finished.results / "index.parquet").images[0]
    bare = read(image, finished.root, empty_stores, Config())
    assert not dict(plate_files([bare], NAMES))
