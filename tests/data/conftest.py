"""Small data sets in every format, written by the tests themselves."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssr.config import Data
from ssr.data.pngs import encode_png, read_labels

CLASSES = ("cat", "dog")


def stripes(size, labels):
    """A mask that shows the classes among `labels` in rows, by turns; cats where there are none."""
    known = [CLASSES.index(name) + 1 for name in labels.split(";") if name in CLASSES]
    return np.resize(known or [1], size[0])[:, None].repeat(size[1], axis=1).astype(np.uint8)


class Folder:
    """A data set of the format `folder`, with methods to put things into it."""

    def __init__(self, root: Path):
        self.root = root
        self.rows: list[str] = []
        for name in ("images", "masks"):
            (root / name).mkdir(parents=True)

    def add(self, name, split="train", labels="cat", size=(6, 8), mask=True):
        pixels = np.random.default_rng(len(self.rows)).integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(self.root / "images" / name)
        if mask:
            self.add_mask(Path(name).stem, stripes(size, labels))
        self.row(name, split, labels)

    def add_mask(self, image_id, mask):
        (self.root / "masks" / f"{image_id}.png").write_bytes(encode_png(mask))

    def read_mask(self, image_id):
        return read_labels(self.root / "masks" / f"{image_id}.png")

    def row(self, name, split="train", labels="cat"):
        self.rows.append(f"{name},{split},{labels}")
        table = "\n".join(["image,split,labels", *self.rows]) + "\n"
        (self.root / "labels.csv").write_text(table, encoding="utf-8")

    def settings(self, **changes) -> Data:
        values = {"format": "folder", "root": str(self.root), "classes": CLASSES, "shard_size": 2}
        return Data(**{**values, **changes})


@pytest.fixture
def empty_folder(tmp_path):
    return Folder(tmp_path / "set")


@pytest.fixture
def folder(empty_folder):
    """Three images to train, one to tune, one to validate: nothing is wrong with them."""
    empty_folder.add("c.png", labels="cat;dog")
    empty_folder.add("a.jpg", labels="dog", size=(5, 7))
    empty_folder.add("b.png", mask=False)
    empty_folder.add("v.png", "val")
    empty_folder.add("t.png", "tune", "dog")
    return empty_folder


@pytest.fixture
def voc(tmp_path):
    """A PASCAL VOC folder: lists train (a, b, c) and val (v), with annotations and masks."""
    root = tmp_path / "VOC2012"
    lists = root / "ImageSets" / "Segmentation"
    for folder in (lists, root / "JPEGImages", root / "SegmentationClass", root / "Annotations"):
        folder.mkdir(parents=True)
    (lists / "train.txt").write_text("c\na\nb\n")
    (lists / "val.txt").write_text("v\n\n")
    for image_id, names in {
        "a": ["cat"],
        "b": ["dog", "cat", "cat"],
        "c": ["dog"],
        "v": ["dog"],
    }.items():
        Image.new("RGB", (8, 6)).save(root / "JPEGImages" / f"{image_id}.jpg")
        mask = encode_png(stripes((6, 8), ";".join(names)))
        (root / "SegmentationClass" / f"{image_id}.png").write_bytes(mask)
        objects = "".join(f"<object><name>{name}</name></object>" for name in names)
        text = f"<annotation><folder>VOC2012</folder>{objects}</annotation>"
        (root / "Annotations" / f"{image_id}.xml").write_text(text)
    return root


@pytest.fixture
def voc_settings(voc):
    return Data(
        format="voc",
        root=str(voc),
        masks="SegmentationClass",
        classes=CLASSES,
        splits={"train": "train", "tune": None, "val": "val"},
        tune_images=1,
        shard_size=2,
    )
