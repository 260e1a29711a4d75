from pathlib import Path

import numpy as np
import pytest

from ssr.data.pngs import read_labels, voc_palette
from ssr.errors import InputError
from ssr.predict.folder import Predictions, find_images, overlay

CLASSES = ("background", "cat")
ORIGIN = {"scales": (1.0, 1.5)}


def test_images_keep_the_names_that_they_have_below_a_folder(photographs: Path) -> None:
    names = [wanted.name for wanted in find_images([photographs])]
    assert names == ["deep/tall", "wide"]
    assert [wanted.name for wanted in find_images([photographs / "deep/tall.jpg"])] == ["tall"]


def test_an_image_that_is_named_twice_is_predicted_once(photographs: Path) -> None:
    assert len(find_images([photographs, photographs / "wide.png"])) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["wide.png", "other/wide.jpg"], r"wide\.png and .*other/wide\.jpg would both become wide"),
        (["nowhere"], r"nowhere: no such file or folder"),
        (["empty"], r"empty: holds no image; their names end in \.bmp, "),
    ],
)
def test_what_cannot_be_predicted_is_named(photographs: Path, given: list[str], said: str) -> None:
    (photographs / "empty").mkdir()
    (photographs / "other").mkdir()
    (photographs / "other/wide.jpg").touch()
    with pytest.raises(InputError, match=said):
        find_images([photographs / name for name in given])


def test_a_folder_is_continued_by_those_who_began_it_and_by_nobody_else(tmp_path: Path) -> None:
    labels = np.eye(4, dtype=np.uint8)
    out = tmp_path / "out"
    Predictions(out, CLASSES, ORIGIN, overlays=False).write("a", np.zeros((4, 4, 3)), labels)
    again = Predictions(out, CLASSES, ORIGIN, overlays=False)
    assert again.has("a")
    assert not again.has("b")
    np.testing.assert_array_equal(read_labels(out / "labels/a.png"), labels)
    with pytest.raises(InputError, match="of another segmenter or with other settings"):
        Predictions(out, CLASSES, {"scales": (1.0,)}, overlays=False)
    with pytest.raises(InputError, match="exists and holds no predictions"):
        Predictions(out / "labels", CLASSES, ORIGIN, overlays=False)


def test_overlays_that_are_asked_for_later_are_made(tmp_path: Path) -> None:
    image, labels = np.zeros((4, 4, 3), np.uint8), np.eye(4, dtype=np.uint8)
    Predictions(tmp_path / "out", CLASSES, ORIGIN, overlays=False).write("a", image, labels)
    later = Predictions(tmp_path / "out", CLASSES, ORIGIN, overlays=True)
    assert not later.has("a")
    later.write("a", image, labels)
    assert later.has("a")


def test_only_objects_are_painted() -> None:
    image = np.full((2, 2, 3), 100, np.uint8)
    painted = overlay(image, np.eye(2, dtype=np.uint8))
    np.testing.assert_array_equal(painted[0, 1], image[0, 1])
    np.testing.assert_array_equal(painted[0, 0], 50 + voc_palette()[1] // 2)
