"""Every file that a figure rests on is noticed when it changes, and nothing else is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ssr.config import Data, Demo
from ssr.data.originals import COUNTS, INDEX, KEPT, MASKS, kept_counts, kept_states, made_of
from ssr.data.splits import split_ids
from ssr.running.contents import Record
from tests.coco_folder import CLASSES, image_id, write_coco

NOTHING: set[str] = set()
SHORT = {INDEX: "images", MASKS: "masks"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (KEPT, COUNTS):
        monkeypatch.setenv(name, "")


def states(data: Data, made: Path) -> dict[str, str]:
    """Of what is made of the whole data set; tests/data/test_parts.py has the parts."""
    found = kept_states(data, lambda: split_ids(data), str(made), starts=True)
    return {path: state for path, state in found.items() if path == "splits" or "/" in path}


def changed_by(change: Callable[[], object], data: Data, made: Path) -> set[str]:
    """What a new start takes for changed after the data set was indexed, and then `change`d."""
    before = states(data, made)
    for path, (root, names) in made_of(data, split_ids(data)).items():
        Record.of(before[path], root, names, 1).write(made / path)
    assert states(data, made) == before
    change()
    after = states(data, made)
    return {SHORT.get(path, path) for path in before if after[path] != before[path]}


def replace(path: Path, old: str = "", new: str = "x") -> None:
    """Replace a text in a file, or append."""
    content = path.read_bytes()
    path.write_bytes(content.replace(old.encode(), new.encode()) if old else content + new.encode())


@pytest.mark.parametrize(
    ("file", "old", "new", "noticed"),
    [
        ("images/a.jpg", "", "x", {"images"}),
        ("masks/a.png", "", "x", {"masks"}),
        ("labels.csv", "a.jpg,train,dog", "a.jpg,train,cat", {"images"}),
        ("labels.csv", "a.jpg,train", "a.jpg,tune", {"images", "splits"}),
        ("images/unused.png", "", "x", NOTHING),
    ],
)
def test_a_folder_of_ones_own(folder, tmp_path, file, old, new, noticed):
    (folder.root / "images/unused.png").touch()
    data = folder.settings()
    assert changed_by(lambda: replace(folder.root / file, old, new), data, tmp_path) == noticed


def test_a_new_mask_divides_the_images_anew(folder, tmp_path):
    (folder.root / "labels.csv").write_text(
        "image,labels\na.jpg,dog\nb.png,cat\nc.png,cat\nv.png,cat\nt.png,dog\n"
    )
    for name in "ac":
        (folder.root / f"masks/{name}.png").unlink()
    data = folder.settings()

    def add() -> None:
        (folder.root / "masks/a.png").touch()

    assert changed_by(add, data, tmp_path) == {"masks", "splits"}


@pytest.mark.parametrize(
    ("file", "old", "new", "noticed"),
    [
        ("JPEGImages/a.jpg", "", "x", {"images"}),
        ("JPEGImages/unused.jpg", "", "x", NOTHING),
        ("SegmentationClass/v.png", "", "x", {"masks"}),
        ("Annotations/a.xml", "cat", "dog", {"images"}),
        ("ImageSets/Segmentation/train.txt", "a", "w", {"images", "masks", "splits"}),
        ("ImageSets/Segmentation/train.txt", "", "\n", NOTHING),
        ("ImageSets/Segmentation/unused.txt", "", "x", NOTHING),
    ],
)
def test_voc(voc, voc_settings, tmp_path, file, old, new, noticed):
    for name in ("JPEGImages/unused.jpg", "ImageSets/Segmentation/unused.txt"):
        (voc / name).touch()
    assert changed_by(lambda: replace(voc / file, old, new), voc_settings, tmp_path) == noticed


def test_an_id_that_changes_its_list_is_noticed(voc, voc_settings, tmp_path):
    """No file comes or goes: only who learns from it."""
    lists = voc / "ImageSets/Segmentation"

    def swap() -> None:
        replace(lists / "train.txt", "a", "v")
        replace(lists / "val.txt", "v", "a")

    data = voc_settings.model_copy(update={"labels_file": "labels.txt"})
    (voc / "labels.txt").write_text("a 0\nv 1\n")
    assert changed_by(swap, data, tmp_path) == {"splits"}


def test_the_labels_file_of_voc(voc, voc_settings, tmp_path):
    (voc / "labels.txt").write_text("a 0\nb 1\n")
    data = voc_settings.model_copy(update={"labels_file": "labels.txt"})
    labels, xml = voc / "labels.txt", voc / "Annotations/a.xml"
    assert changed_by(lambda: replace(labels, "a 0", "a 1"), data, tmp_path) == {"images"}
    assert changed_by(lambda: replace(xml), data, tmp_path) == NOTHING


@pytest.mark.parametrize(
    ("file", "old", "new", "noticed"),
    [
        (f"train2014/{image_id('train2014', 1)}.jpg", "", "x", {"images"}),
        ("train.txt", " 2", " 1", {"images"}),
        ("train.txt", "001 0 2", "002 0 2", {"images", "splits"}),
        ("annotations/instances_train2014.json", "", " ", {"annotations/train2014.zip"}),
        (
            "annotations/instances_val2014.json",
            "",
            " ",
            {"annotations/val2014.txt", "annotations/val2014.zip"},
        ),
    ],
)
def test_coco(tmp_path, file, old, new, noticed):
    root = write_coco(tmp_path / "COCO2014")
    (root / "train.txt").write_text(f"{image_id('train2014', 1)} 0 2\n")
    splits = {"train": "train.txt", "tune": "val2014", "val": None}
    data = Data(format="coco", root=str(root), masks="annotations", classes=CLASSES, splits=splits)
    assert changed_by(lambda: replace(root / file, old, new), data, tmp_path) == noticed


def test_a_folder_of_coco_and_masks_of_ones_own(tmp_path):
    root = write_coco(tmp_path / "COCO2014")
    splits = {"train": "train2014", "tune": None, "val": "val2014"}
    data = Data(format="coco", root=str(root), masks="own", classes=CLASSES, splits=splits)
    new, mask = root / "train2014/COCO_train2014_9.jpg", root / f"own/{image_id('val2014', 1)}.png"
    mask.parent.mkdir()
    assert changed_by(new.touch, data, tmp_path) == {"images", "masks", "splits"}
    assert changed_by(mask.touch, data, tmp_path) == {"masks"}


def test_the_demo_is_known_before_it_is_made(tmp_path):
    data = Data(root=str(tmp_path / "demo"), demo=Demo(train=1, tune=1, val=1))
    image, mask = (tmp_path / f"demo/{name}/demo_000002.png" for name in ("images", "masks"))
    for path in (image, mask):
        path.parent.mkdir(parents=True)
    assert changed_by(lambda: image.write_text("x"), data, tmp_path) == {"images"}
    assert changed_by(lambda: mask.write_text("x"), data, tmp_path) == {"masks"}


@pytest.mark.parametrize("form", ["folder", "voc"])
def test_a_copy_with_other_dates_is_no_change(folder, voc, voc_settings, tmp_path, form):
    data = folder.settings() if form == "folder" else voc_settings

    def copy() -> None:
        for path in Path(data.root).rglob("*"):
            os.utime(path, (1, 1))

    assert changed_by(copy, data, tmp_path) == NOTHING


def test_a_job_takes_what_its_run_saw_at_the_start(folder, tmp_path):
    data = folder.settings()
    before = states(data, tmp_path)
    replace(folder.root / "images/a.jpg")
    assert kept_states(data, dict, "", starts=False).items() >= before.items()


def test_a_job_knows_how_many_images_there_are_without_reading_the_lists():
    counted = kept_counts(lambda: {"train": ["a", "b"], "val": []}, starts=True)
    assert counted == kept_counts(lambda: pytest.fail("reads"), starts=False)
    assert counted == {"train": 2, "val": 0}


def test_names_that_no_file_can_have_are_left_to_the_index_stage(folder, tmp_path):
    folder.row("../b.png")
    folder.row("a\\0b.png")
    assert states(folder.settings(), tmp_path)
