import numpy as np
import pytest

from ssr.config import Config
from ssr.data.index import Image, Index
from ssr.report import figures
from ssr.report.shown import ShownImage, Stores, read
from ssr.report.stages import PANELS
from tests.report.finished_run import FinishedRun

GREY = np.full((6, 8, 3), 128, np.uint8)


def shown(**labels: np.ndarray) -> ShownImage:
    return ShownImage(Image("a", "a.png", 8, 6, "val", (2,), "val_0000"), GREY, (2,), labels=labels)


def test_more_activation_is_brighter() -> None:
    cam = np.tile(np.linspace(0, 1, 8, dtype=np.float32), (6, 1))
    brightness = figures.draw_map(GREY, cam).sum(axis=2)[0].astype(int)
    assert (np.diff(brightness) > 0).all()


def test_mask_lights_what_is_on_and_outlines_it() -> None:
    mask = np.zeros((6, 8), bool)
    mask[:, :4] = True
    drawn = figures.draw_mask(GREY, mask)
    assert (drawn[:, :3] == 128).all()
    assert drawn[:, 4:].max() < 50
    assert len(np.unique(drawn[:, 3].reshape(-1, 3), axis=0)) == 1
    assert tuple(drawn[0, 3]) == (0xE6, 0x9F, 0x00)


def test_regions_have_their_mean_colour() -> None:
    pixels = np.zeros((2, 4, 3), np.uint8)
    pixels[:, :2] = [[10, 20, 30], [30, 40, 50]]
    regions = np.array([[0, 0, 1, 1]] * 2)
    drawn = figures.draw_regions(pixels, np.zeros((2, 4), int), regions)
    assert drawn[0].tolist() == [[20, 30, 40]] * 2 + [[0, 0, 0]] * 2


def test_labels_have_the_colours_of_their_classes() -> None:
    labels = np.zeros((6, 8), int)
    labels[:, :3], labels[:, 5:] = 2, 255
    drawn = figures.draw_labels(GREY, labels, {2: "#E69F00"})
    assert tuple(drawn[0, 0]) == tuple(round(0.25 * 128 + 0.75 * c) for c in (0xE6, 0x9F, 0))
    assert (drawn[:, 3] == round(0.7 * 128)).all(), "background is the image, darkened"
    assert {tuple(pixel) for pixel in drawn[:, 6:].reshape(-1, 3)} == {(90,) * 3, (255,) * 3}


def test_borders_lie_where_labels_change() -> None:
    labels = np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]])
    assert figures.borders(labels).astype(int).tolist() == [[0, 1, 0], [1, 1, 1], [0, 0, 0]]


def test_classes_of_the_image_come_first_and_all_differ() -> None:
    labels = np.array([[0, 1, 2, 255]])
    colours = figures.class_colours(shown(prediction=labels, truth=np.array([[7]])))
    assert list(colours) == [2, 1, 7]
    assert len(set(colours.values())) == 3


def test_panels_follow_the_data(finished: FinishedRun, stores: Stores) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    drawn = figures.panels(read(first, finished.root, stores, Config()))
    assert list(dict.fromkeys(panel.name for panel in drawn)) == list(PANELS)
    per_class = [panel.name for panel in drawn if panel.class_index == 2]
    assert per_class == ["initial_cam", "aligned_cam", "target", "refined_cam"]
    assert {panel.picture.shape for panel in drawn} == {(168, 224, 3)}
    assert {panel.picture.dtype for panel in drawn} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("name", ["truth", "prediction"])
def test_stages_that_have_not_run_are_no_panel(name: str) -> None:
    drawn = figures.panels(shown(**{name: np.zeros((6, 8), int)}))
    assert [panel.name for panel in drawn] == ["image", name]
