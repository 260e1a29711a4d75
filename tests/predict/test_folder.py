from pathlib import Path

import numpy as np
import pytest

from ssr.data.pngs import encode_png, read_labels, voc_palette
from ssr.errors import InputError
from ssr.predict.folder import Predictions, Wanted, find_images, overlay

CLASSES = ("background", "cat")
ORIGIN = {"scales": (1.0, 1.5)}


def names(given: list[Path]) -> list[str]:
    """Of what is found, where predictions go to the folder out of the first."""
    return [wanted.name for wanted in find_images(given, given[0] / "out")]


@pytest.fixture
def image(tmp_path: Path) -> Wanted:
    """A file by the name of a."""
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(np.zeros((4, 4), np.uint8)))
    return Wanted(path, "a")


def test_images_keep_the_names_that_they_have_below_a_folder(photographs: Path) -> None:
    (photographs / "linked").symlink_to(photographs / "deep")
    (photographs / ".hidden.png").touch()
    (photographs / "folder.png").mkdir()
    assert names([photographs]) == ["deep/tall", "wide"]
    assert names([photographs / "deep/tall.jpg"]) == ["tall"]


def test_linked_folders_are_gone_through_once(photographs: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all/linked").symlink_to(photographs)
    (photographs / "deep/again").symlink_to(photographs)
    assert names([tmp_path / "all"]) == ["linked/deep/tall", "linked/wide"]


def test_predictions_are_no_images_to_be_predicted(photographs: Path) -> None:
    (photographs / "out/labels").mkdir(parents=True)
    (photographs / "out/labels/wide.png").touch()
    assert names([photographs]) == ["deep/tall", "wide"]


def test_an_image_that_is_named_twice_is_predicted_once(photographs: Path) -> None:
    relative = photographs / "../photographs/wide.png"
    assert names([photographs, photographs / "wide.png", relative]) == ["deep/tall", "wide"]


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
        find_images([photographs / name for name in given], photographs / "out")


PIXELS, LABELS = np.zeros((4, 4, 3), np.uint8), np.eye(4, dtype=np.uint8)


def test_a_folder_is_continued_by_those_who_began_it_and_by_nobody_else(
    tmp_path: Path, image: Wanted
) -> None:
    out = tmp_path / "out"
    Predictions(out, CLASSES, ORIGIN, overlays=False).write(image, PIXELS, LABELS)
    again = Predictions(out, CLASSES, ORIGIN, overlays=False)
    assert again.has(image)
    assert not again.has(Wanted(image.image, "b"))
    np.testing.assert_array_equal(read_labels(out / "labels/a.png"), LABELS)
    with pytest.raises(InputError, match="of another segmenter or with other settings"):
        Predictions(out, CLASSES, {"scales": (1.0,)}, overlays=False)
    with pytest.raises(InputError, match="exists and holds no predictions"):
        Predictions(out / "labels", CLASSES, ORIGIN, overlays=False)


def test_another_image_of_the_same_name_is_told_of(tmp_path: Path, image: Wanted) -> None:
    made = Predictions(tmp_path / "out", CLASSES, ORIGIN, overlays=False)
    made.write(image, PIXELS, LABELS)
    image.image.write_bytes(encode_png(LABELS))
    with pytest.raises(InputError, match=r"labels/a\.png: is of another image than .*a\.png"):
        made.has(image)


def test_half_a_file_is_none(tmp_path: Path, image: Wanted) -> None:
    made = Predictions(tmp_path / "out", CLASSES, ORIGIN, overlays=False)
    made.write(image, PIXELS, LABELS)
    (tmp_path / "out/labels/a.png").write_bytes(b"")
    assert not made.has(image)


def test_overlays_that_are_asked_for_later_are_made(tmp_path: Path, image: Wanted) -> None:
    Predictions(tmp_path / "out", CLASSES, ORIGIN, overlays=False).write(image, PIXELS, LABELS)
    later = Predictions(tmp_path / "out", CLASSES, ORIGIN, overlays=True)
    assert not later.has(image)
    later.write(image, PIXELS, LABELS)
    assert later.has(image)


def test_what_a_killed_run_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/.segmentation.json.node.1.part").touch()
    Predictions(tmp_path / "out", CLASSES, ORIGIN, overlays=False)
    assert (tmp_path / "out/segmentation.json").is_file()


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path, image: Wanted) -> None:
    with pytest.raises(InputError, match=r"^--out .*a\.png/x: Not a directory$"):
        Predictions(image.image / "x", CLASSES, ORIGIN, overlays=False)


def test_only_objects_are_painted() -> None:
    image = np.full((2, 2, 3), 100, np.uint8)
    painted = overlay(image, np.eye(2, dtype=np.uint8))
    np.testing.assert_array_equal(painted[0, 1], image[0, 1])
    np.testing.assert_array_equal(painted[0, 0], 50 + voc_palette()[1] // 2)
