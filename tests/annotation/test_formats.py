"""Masks go to every tool and come back the same."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from ssr import command
from ssr.annotation import label_studio
from ssr.annotation.formats import WRITERS, reader
from ssr.annotation.labelled import LabelledImage
from ssr.data.findings import Findings
from ssr.errors import InputError

CLASSES = ("cat", "dog")
MAPS = {
    "deep/a.b.jpg": np.random.default_rng(0).choice([0, 1, 2, 255], (5, 7)).astype(np.uint8),
    "c d.png": np.zeros((6, 4), np.uint8),
}


def images() -> Iterator[LabelledImage]:
    return (LabelledImage(name, labels) for name, labels in MAPS.items())


def annotate(folder: Path) -> None:
    """What Label Studio makes of predictions that an annotator submits as they are."""
    path = folder / label_studio.FILE
    if path.exists():
        tasks = json.loads(path.read_text())
        annotated = [
            {"data": task["data"], "annotations": [{"result": task["predictions"][0]["result"]}]}
            for task in tasks
        ]
        path.write_text(json.dumps(annotated))


def read(path: Path) -> tuple[dict[str, np.ndarray], Findings]:
    findings = Findings()
    _, place, reads = reader(path)
    found = {image.name: image.labels for image in reads(place, CLASSES, findings)}
    return found, findings


def problem(path: Path) -> str:
    """What is wrong with an export that can be read."""
    _, findings = read(path)
    with pytest.raises(InputError) as raised:
        findings.raise_problems("x")
    return str(raised.value)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """The folder that is written for a tool, in Label Studio annotated."""

    def write(tool: str) -> Path:
        WRITERS[tool](tmp_path / tool, images(), CLASSES)
        annotate(tmp_path / tool)
        return tmp_path / tool

    return write


@pytest.mark.parametrize("tool", WRITERS)
def test_masks_come_back_the_same(tool: str, written: Callable[[str], Path]) -> None:
    folder = written(tool)
    found, findings = read(folder / "masks.zip" if tool == "cvat" else folder)
    findings.raise_problems("x")
    assert not findings.warnings
    maps = {
        Path(name).name.removesuffix(".jpg").removesuffix(".png"): found[name] for name in found
    }
    assert maps.keys() == {"a.b", "c d"}
    np.testing.assert_array_equal(maps["a.b"], MAPS["deep/a.b.jpg"])
    np.testing.assert_array_equal(maps["c d"], MAPS["c d.png"])
    assert all(labels.dtype == np.uint8 for labels in maps.values())


def test_coco_has_a_category_for_each_class_and_for_what_is_ignored(
    written: Callable[[str], Path],
) -> None:
    content = json.loads((written("coco") / "instances.json").read_text())
    named = {each["id"]: each["name"] for each in content["categories"]}
    assert named == {1: "cat", 2: "dog", 255: "ignore"}
    assert [each["file_name"] for each in content["images"]] == ["deep/a.b.jpg", "c d.png"]
    (cat, _, _) = content["annotations"]
    assert cat["area"] == np.sum(MAPS["deep/a.b.jpg"] == 1)


def test_categories_of_a_tool_are_known_by_name_and_polygons_are_drawn(tmp_path: Path) -> None:
    square = [[0, 0, 2, 0, 2, 2, 0, 2]]
    content = {
        "images": [{"id": 7, "file_name": "a.jpg", "height": 3, "width": 3}],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}, {"id": 3, "name": "x"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "segmentation": square}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    found, _ = read(tmp_path / "coco.json")
    np.testing.assert_array_equal(found["a"], [[2, 2, 0], [2, 2, 0], [0, 0, 0]])
    content["annotations"][0]["category_id"] = 3
    (tmp_path / "coco.json").write_text(json.dumps(content))
    assert "1 × label that is no class: x (a)" in problem(tmp_path / "coco.json")


def test_masks_of_cvat_are_in_the_colours_of_its_label_map(tmp_path: Path) -> None:
    colours = "# label:color_rgb:parts:actions\ndog:1,2,3::\nbackground:0,0,0::\nunused:9,9,9::\n"
    pixels = np.array([[[1, 2, 3], [0, 0, 0]]], np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    path = tmp_path / "task.zip"

    def pack(text: str) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("labelmap.txt", text)
            archive.writestr("SegmentationClass/deep/a.png", stream.getvalue())
            archive.writestr("ImageSets/Segmentation/default.txt", "deep/a\nb\n")

    pack(colours)
    found, findings = read(path)
    np.testing.assert_array_equal(found["deep/a"], [[2, 0]])
    assert findings.warnings[0].endswith("lists and has no mask of, not used: b")
    pack(colours.replace("dog", "wolf"))
    assert "deep/a (wolf is no class)" in problem(path)
    pack(colours.replace("1,2,3", "1,2,4"))
    assert "deep/a (#010203 is no class)" in problem(path)
    pack(colours.replace("9,9,9", "1,2,3"))
    with pytest.raises(InputError, match="dog and unused have one colour"):
        read(path)
    pack("dog red")
    with pytest.raises(InputError, match=r"labelmap\.txt: wanted lines of label:red,green,blue::"):
        read(path)


def test_for_cvat_a_class_of_an_image_is_one_object(written: Callable[[str], Path]) -> None:
    with zipfile.ZipFile(written("cvat") / "masks.zip") as archive:
        for name in ("deep/a.b.png", "c d.png"):
            objects = archive.read(f"SegmentationObject/{name}")
            assert objects == archive.read(f"SegmentationClass/{name}")


def test_a_damaged_mask_is_named(written: Callable[[str], Path]) -> None:
    path = written("cvat") / "masks.zip"
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT")] ^= 1
    path.write_bytes(content)
    assert "mask that can't be read: deep/a.b (a.b.png: can't be read (Bad CRC" in problem(path)


def test_an_unpacked_zip_of_cvat_is_read_as_well(
    written: Callable[[str], Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(written("cvat") / "masks.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    assert read(tmp_path / "unpacked")[0].keys() == {"deep/a.b", "c d"}


def test_masks_of_fiftyone_are_grey_and_their_indices_are_named(
    written: Callable[[str], Path],
) -> None:
    folder = written("fiftyone")
    with Image.open(folder / "labels/deep/a.b.png") as png:
        assert png.mode == "L"
    targets = folder / "mask_targets.json"
    assert json.loads(targets.read_text()) == {"1": "cat", "2": "dog", "255": "ignore"}
    Image.fromarray(np.full((6, 4), 3, np.uint8)).save(folder / "labels/c d.png")
    assert "mask with an index that is no class: c d.png (3)" in problem(folder)
    targets.write_text("{")
    with pytest.raises(InputError, match=r"mask_targets\.json: is no JSON"):
        read(folder)
    targets.write_text('{"1": "dog", "2": "cat"}')
    with pytest.raises(InputError, match="names other classes than the data set, or in another"):
        read(folder)


def task(*annotations: Any) -> list[dict[str, Any]]:
    return [{"data": {"image": "/data/upload/1/a.jpg"}, "annotations": [*annotations]}]


def shape(kind: str, label: str, **value: Any) -> dict[str, Any]:
    size = {"original_width": 4, "original_height": 2}
    return {"type": kind, "value": {**value, kind: [label]}, **size}


BRUSH = shape("brushlabels", "cat", rle=label_studio.brush.encode(np.eye(2, 4) > 0), format="rle")
HALF = shape("polygonlabels", "dog", points=[[0, 0], [50, 0], [50, 100], [0, 100]])


def test_the_last_shape_of_label_studio_is_in_front(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    note = {"type": "choices", "value": {"choices": ["blurred"]}}
    path.write_text(json.dumps(task({"result": [HALF, note, BRUSH]})))
    np.testing.assert_array_equal(read(path)[0]["a.jpg"], [[1, 2, 0, 0], [2, 1, 0, 0]])


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        ([{"result": [BRUSH]}, {"result": [HALF]}], "several annotations, of which one has to be"),
        ([{"result": []}], r"a\.jpg \(its size is not told\)"),
        ([{"result": [BRUSH | {"image_rotation": 90}]}], r"a\.jpg \(it was rotated\)"),
        ([{"result": [shape("brushlabels", "wolf", rle=[])]}], r"a\.jpg \(wolf is no class\)"),
        ([{"result": [shape("rectanglelabels", "cat")]}], "strokes or polygons, came rectangle"),
        ([{"result": [shape("brushlabels", "cat", rle=[1])]}], r"a\.jpg \(it is cut short\)"),
    ],
)
def test_what_label_studio_leaves_open_is_named(
    annotations: list[Any], said: str, tmp_path: Path
) -> None:
    (tmp_path / "project.json").write_text(json.dumps(task(*annotations)))
    with pytest.raises(InputError, match=said):
        read(tmp_path / "project.json")[1].raise_problems("x")


def test_what_nobody_has_annotated_is_left_out_and_named(tmp_path: Path) -> None:
    cancelled = {"result": [BRUSH], "was_cancelled": True}
    (tmp_path / "project.json").write_text(json.dumps(task(cancelled)))
    found, findings = read(tmp_path / "project.json")
    assert not found
    assert findings.warnings == ["1 × image that nobody has annotated, not used: a.jpg"]


def test_the_interface_of_label_studio_names_the_classes_in_their_colours(
    written: Callable[[str], Path],
) -> None:
    view = ElementTree.parse(written("label_studio") / "interface.xml").getroot()
    shown = {label.get("value"): label.get("background") for label in view.iter("Label")}
    assert shown == {"cat": "#800000", "dog": "#008000", "ignore": "#e0e0c0"}


@pytest.mark.parametrize("made", [[], ["a.png"], ["a.json", "b.json"], ["a.txt"]])
def test_what_is_no_export_is_told_which_there_are(made: list[str], tmp_path: Path) -> None:
    for name in made:
        (tmp_path / name).touch()
    with pytest.raises(
        InputError, match=r"holds no masks that are known\. Wanted one JSON of COCO"
    ):
        reader(tmp_path)


def test_the_command_offers_each_tool() -> None:
    assert tuple(WRITERS) == command._TOOLS
