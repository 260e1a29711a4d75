"""What annotation tools export, read as image-level labels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ssr.data.findings import Findings
from ssr.errors import InputError
from ssr.init.exports import reader
from ssr.init.labelled import Labelled
from tests.init.conftest import photographs

CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><labels><label/></labels></task></meta>
<image id="0" name="a.jpg" width="48" height="32"><tag label="cat" source="manual"></tag></image>
<image id="1" name="deep/b.jpg" width="48" height="32">
<polygon label="dog" points="1,2;3,4"></polygon><tag label="cat"/><box label="dog"/></image>
<image id="2" name="c.jpg" width="48" height="32"></image>
</annotations>
"""


def read(folder: Path) -> tuple[str, dict[str, tuple[str, ...]], list[str]]:
    """What was recognised, the labels by file, and the warnings."""
    said, reads = reader(folder)
    findings = Findings()
    images: list[Labelled] = reads(folder, findings)
    assert len({image.file for image in images}) == len(images)
    return said, {image.file: image.labels for image in images}, findings.warnings


def task(image: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {"id": 1, "data": {"text": "note", "image": image}, "annotations": [*annotations]}


def chosen(*names: str, cancelled: bool = False) -> dict[str, Any]:
    """An annotation of Label Studio: choices, and what says no class."""
    choices = {"type": "choices", "value": {"choices": [*names]}}
    note = {"type": "textarea", "value": {"text": ["blurred"]}}
    relation = {"type": "relation", "from_id": "a", "to_id": "b"}
    return {"was_cancelled": cancelled, "result": [choices, note, relation]}


def test_tags_and_shapes_of_cvat_are_labels(folder: Path) -> None:
    photographs(folder / "images", ["a.jpg", "deep/b.jpg", "c.jpg"])
    (folder / "annotations.xml").write_text(CVAT)
    assert read(folder) == (
        "CVAT's annotations.xml",
        {"images/a.jpg": ("cat",), "images/deep/b.jpg": ("dog", "cat"), "images/c.jpg": ()},
        [],
    )


def test_an_image_that_an_export_names_and_nobody_has_keeps_its_row(folder: Path) -> None:
    (folder / "annotations.xml").write_text(CVAT)
    _, labels, _ = read(folder)
    assert [*labels] == ["images/a.jpg", "images/b.jpg", "images/c.jpg"]


def test_choices_of_label_studio_are_labels_whatever_the_address(folder: Path) -> None:
    photographs(folder / "images", ["a.jpg", "b.jpg", "c d.jpg", "1234abcd-e.jpg"])
    box = {"type": "rectanglelabels", "value": {"rectanglelabels": ["dog"], "x": 1}}
    tasks = [
        task("/data/upload/1/1a2b3c4d-a.jpg", chosen("cat", "dog")),
        task("/data/local-files/?d=photos/b.jpg", {"result": [box]}),
        task("https://a.example/x/c%20d.jpg?token=1", chosen("cat"), chosen("x", cancelled=True)),
        task("s3://bucket/1234abcd-e.jpg", chosen("cat"), chosen("dog")),
    ]
    (folder / "project-1.json").write_text(json.dumps(tasks))
    said, labels, warnings = read(folder)
    assert said == "Label Studio's project-1.json"
    assert labels == {
        "images/a.jpg": ("cat", "dog"),
        "images/b.jpg": ("dog",),
        "images/c d.jpg": ("cat",),
        "images/1234abcd-e.jpg": ("cat", "dog"),
    }
    (warning,) = warnings
    assert warning.endswith("all their labels are taken: images/1234abcd-e.jpg")


@pytest.mark.parametrize(
    "target", [["cat", "dog"], [0, 1], [{"label": "cat"}, {"label": "dog"}]], ids=str
)
def test_targets_of_fiftyone_are_names_indices_or_labels(folder: Path, target: Any) -> None:
    photographs(folder / "data", ["a.jpg", "deep/b.jpg", "c.jpg"])
    labels = {"a": target, "deep/b": target[0], "c": None}
    (folder / "labels.json").write_text(json.dumps({"classes": ["cat", "dog"], "labels": labels}))
    assert read(folder)[:2] == (
        "FiftyOne's labels.json",
        {"data/a.jpg": ("cat", "dog"), "data/deep/b.jpg": ("cat",), "data/c.jpg": ()},
    )


@pytest.mark.parametrize("place", ["", "images"])
def test_folders_are_classes_and_equal_files_one_image(folder: Path, place: str) -> None:
    photographs(folder / place, ["cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "no_label/3.jpg"])
    shutil.copy(folder / place / "cat/2.jpg", folder / place / "dog/other.jpg")
    said, labels, warnings = read(folder)
    root = f"{place}/".lstrip("/")
    assert warnings == [
        f"1 × file that equals another, one image with the labels of both: {root}dog/other.jpg"
    ]
    assert said == "folders named after classes"
    assert labels == {
        f"{root}cat/1.jpg": ("cat",),
        f"{root}cat/2.jpg": ("cat", "dog"),
        f"{root}dog/1.jpg": ("dog",),
        f"{root}no_label/3.jpg": (),
    }


def test_images_that_nothing_labels_are_named(folder: Path) -> None:
    photographs(folder, ["cat/1.jpg", "cat/deep/2.jpg", "dog/3.jpg", "stray.jpg"])
    unused = "2 × image that nothing labels, not used: cat/deep/2.jpg, stray.jpg"
    assert read(folder)[2] == [unused]
    (folder / "annotations.xml").write_text(CVAT.replace("a.jpg", "1.jpg"))
    assert len(read(folder)[1]) == 3
    assert read(folder)[2][0].startswith("3 × image that nothing labels, not used: cat/deep/2.jpg")


@pytest.mark.parametrize(
    "names", [[], ["images/1.jpg"], ["photographs/1.jpg"], ["train/cat/1.jpg"]]
)
def test_a_folder_that_says_nothing_of_classes_is_refused(folder: Path, names: list[str]) -> None:
    photographs(folder, names)
    came = f"{names[0].split('/')[0]}/" if names else "nothing"
    with pytest.raises(InputError, match=rf"harbour: nothing says .* Came {came}"):
        read(folder)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("annotations.xml", "<annotations", "annotations.xml: is no XML"),
        ("annotations.xml", "<annotations><track/></annotations>", "CVAT for images 1.1"),
        ("tasks.json", "[", "tasks.json: is no JSON"),
        ("tasks.json", '[{"image": "a.jpg", "choice": "cat"}]', "not JSON-MIN"),
        ("tasks.json", '[{"data": {"image": 1}, "annotations": []}]', "no image in"),
        ("tasks.json", '[{"data": {"image": "a.jpg"}, "annotations": [1]}]', "no export of Label"),
        ("labels.json", '["cat"]', 'wanted "classes" and "labels"'),
        ("labels.json", '{"classes": {"0": "cat"}, "labels": {}}', "wanted a list of names"),
        ("labels.json", '{"classes": ["cat"], "labels": {"a": 1}}', "an index of classes, came 1"),
    ],
)
def test_another_file_of_that_name_is_refused(
    folder: Path, file: str, content: str, words: str
) -> None:
    (folder / "data").mkdir()
    (folder / file).write_text(content)
    with pytest.raises(InputError, match=words):
        read(folder)


def test_taxonomies_end_in_a_label_and_skipped_tasks_are_named(folder: Path) -> None:
    photographs(folder / "images", ["a.jpg", "b.jpg"])
    paths = {"type": "taxonomy", "value": {"taxonomy": [["animal", "cat"], ["dog"]]}}
    tasks = [task("a.jpg", {"result": [paths]}), task("b.jpg", chosen("cat", cancelled=True))]
    (folder / "tasks.json").write_text(json.dumps(tasks))
    _, labels, (warning,) = read(folder)
    assert labels == {"images/a.jpg": ("cat", "dog"), "images/b.jpg": ()}
    assert warning.endswith("image whose task was skipped, without a label: images/b.jpg")


@pytest.mark.parametrize("place", ["", "images"])
def test_parts_of_a_data_set_are_no_classes(folder: Path, place: str) -> None:
    for part in ("train", "Valid", "test"):
        photographs(folder / place / part, [f"{part}.jpg"])
    with pytest.raises(InputError, match=r"Valid/, test/, train/ are parts .*, not classes"):
        read(folder)
