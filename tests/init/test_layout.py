"""What a folder holds, as the section `data` of the settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ssr.config import Data
from ssr.data.splits import split_ids
from ssr.errors import InputError
from ssr.init.layout import describe, prepare
from tests.coco_folder import CATEGORIES, write_coco
from tests.init.conftest import boats, labelled, mask, photographs

ANNOTATION = "<annotation><object><name>{}</name></object></annotation>"


def described(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The section, which can be used, and the doubts."""
    doubts: list[str] = []
    values = describe(folder, doubts)
    split_ids(Data(**values))
    return values, doubts


def voc(folder: Path, lists: str = "ImageSets/Segmentation") -> Path:
    for number, split in enumerate(("train",) * 4 + ("val",) * 2):
        photographs(folder, [f"JPEGImages/{number}.jpg"])
        for place in (folder / "Annotations", folder / lists):
            place.mkdir(parents=True, exist_ok=True)
        name = ("dog", "cat")[number % 2]
        (folder / f"Annotations/{number}.xml").write_text(ANNOTATION.format(name))
        with (folder / lists / f"{split}.txt").open("a") as stream:
            stream.write(f"{number}\n")
        mask(folder / f"SegmentationClass/{number}.png", 0, 2 - number % 2)
    return folder


def test_a_folder_has_the_classes_of_its_labels_and_trains_on_all(folder: Path) -> None:
    values, doubts = described(boats(folder))
    assert values == {
        "format": "folder",
        "root": "harbour",
        "classes": ["boat", "gull"],
        "masks": None,
    }
    assert doubts == []


def test_labels_that_are_there_are_left_as_they_are(folder: Path) -> None:
    boats(folder)
    (folder / "annotations.xml").write_text("<annotations/>")
    before = (folder / "labels.csv").read_bytes()
    assert prepare(folder, []) == ["harbour: images/ and labels.csv"]
    assert (folder / "labels.csv").read_bytes() == before


def test_splits_are_taken_by_their_usual_names(folder: Path) -> None:
    rows = ["a.jpg,boat,training", "b.jpg,boat,valid", "c.jpg,,test"]
    values, _ = described(labelled(folder, rows, "image,labels,split"))
    assert values["splits"] == {"train": "training", "tune": None, "val": "valid", "test": "test"}


def test_without_images_to_learn_from_the_names_are_told(folder: Path) -> None:
    labelled(folder, ["a.jpg,boat,left", "b.jpg,boat,right"], "image,labels,split")
    with pytest.raises(InputError, match=r"none of these names begins with train: left, right"):
        describe(folder, [])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["a.jpg,"], "labels.csv: no image has a label"),
        (["a.jpg,Cat", "b.jpg,cat"], "labels.csv: its labels cannot be classes: .*more than case"),
        (["a.jpg,background"], "are no classes"),
    ],
)
def test_labels_that_can_be_no_classes_are_refused(
    folder: Path, rows: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        describe(labelled(folder, rows), [])


def test_labels_without_a_folder_of_images_are_refused(folder: Path) -> None:
    (folder / "labels.csv").write_text("image,labels\na.jpg,boat\n")
    with pytest.raises(InputError, match=r"harbour/images: no such folder"):
        describe(folder, [])


def test_voc_keeps_its_format_and_its_masks(folder: Path) -> None:
    assert prepare(voc(folder), []) == ["harbour: a PASCAL VOC folder"]
    values, doubts = described(folder)
    assert values == {
        "format": "voc",
        "root": "harbour",
        "splits": {"train": "train", "tune": None, "val": "val", "test": None},
        "labels_file": None,
        "classes": ["cat", "dog"],
        "masks": "SegmentationClass",
        "tune_images": 1,
    }
    assert doubts == [
        "data.classes are sorted by name; is that the order of the indices in the masks?"
    ]


def test_lists_of_detection_and_one_file_of_labels_do_for_voc(folder: Path) -> None:
    voc(folder, "ImageSets/Main")
    names = {"classes": ["background", "bird"], "labels": {str(n): [1] for n in range(6)}}
    (folder / "cls_labels.json").write_text(json.dumps(names))
    values, _ = described(folder)
    assert values["splits"]["train"] == "ImageSets/Main/train.txt"
    assert (values["labels_file"], values["classes"]) == ("cls_labels.json", ["bird"])


def test_numbers_without_names_are_no_labels_of_voc(folder: Path) -> None:
    voc(folder)
    (folder / "cls_labels.json").write_text(json.dumps({str(n): [5] for n in range(6)}))
    with pytest.raises(InputError, match=r"cls_labels.json: has numbers without names"):
        describe(folder, [])


def test_coco_keeps_its_format_and_draws_masks(folder: Path) -> None:
    write_coco(folder)
    assert prepare(folder, []) == ["harbour: COCO's images and instances files"]
    values, doubts = described(folder)
    assert values == {
        "format": "coco",
        "root": "harbour",
        "splits": {"train": "train2014", "tune": None, "val": "val2014", "test": None},
        "classes": [*CATEGORIES.values()],
        "masks": "annotations",
        "tune_images": 1,
    }
    assert doubts == []


def test_images_of_coco_in_a_folder_of_another_name_are_linked(folder: Path) -> None:
    write_coco(folder)
    for split in ("val2014", "train2014"):
        (folder / split).rename(folder / ("images" if split == "train2014" else "old"))
    (folder / "annotations/instances_val2014.json").unlink()
    instances = folder / "annotations/instances_train2014.json"
    instances.rename(instances.with_name("instances_default.json"))
    said = prepare(folder, [])
    assert said[1:] == ["written: harbour/default (a link to images/)"]
    values, doubts = described(folder)
    assert values["splits"]["train"] == "default"
    assert values["masks"] is None
    assert doubts == ["harbour/annotations: no masks are drawn: no image is in val"]


def test_boxes_alone_draw_no_masks(folder: Path) -> None:
    write_coco(folder)
    for file in folder.glob("annotations/*"):
        content = json.loads(file.read_text())
        content["annotations"] = [own | {"segmentation": []} for own in content["annotations"]]
        file.write_text(json.dumps(content))
    values, doubts = described(folder)
    assert values["masks"] is None
    assert doubts == ["harbour/annotations: no masks are drawn: some annotations have no outline"]
