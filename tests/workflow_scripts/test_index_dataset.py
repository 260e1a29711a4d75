import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ssr.config import Data
from ssr.data.index import Index
from ssr.data.masks import Masks
from ssr.data.pngs import encode_png
from ssr.data.sightings import NAME
from ssr.running.contents import Record


@pytest.fixture
def root(tmp_path):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    rows = ["image,split,labels"]
    for split in ("train", "tune", "val"):
        Image.new("RGB", (8, 6)).save(tmp_path / "images" / f"{split}.png")
        (tmp_path / "masks" / f"{split}.png").write_bytes(encode_png(np.ones((6, 8), np.uint8)))
        rows.append(f"{split}.png,{split},cat")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    return tmp_path


def run(root, classes, program="index_dataset", output="out/index.parquet"):
    data = Data(format="folder", root=str(root), classes=classes).canonical()
    command = [sys.executable, "-m", f"workflow_scripts.{program}", "--data", data]
    if program == "index_masks":
        assert run(root, classes).returncode == 0
        command += ["--index", root / "out/index.parquet"]
    else:
        command += ["--images", '{"patch": 2}']
    command += ["--state", "files as they were", "--output", root / output]
    return subprocess.run(command, capture_output=True, text=True)


def test_writes_the_index(root):
    result = run(root, ("cat", "dog"))
    assert result.returncode == 0, result.stderr
    assert "warning: 1 × class without an image in train: dog" in result.stderr
    images = Index.read(root / "out/index.parquet").images
    assert [image.id for image in images] == ["train", "tune", "val"]


def test_the_masks_go_to_a_table_of_their_own(root):
    result = run(root, ("cat", "dog"), "index_masks", "out/masks.parquet")
    assert result.returncode == 0, result.stderr
    assert Masks.read(root / "out/masks.parquet", root).references["val"] == "masks/val.png"


@pytest.mark.parametrize(
    ("program", "output", "replaced", "other"),
    [
        ("index_dataset", "index.parquet", "images/val.png", "masks/val.png"),
        ("index_masks", "masks.parquet", "masks/val.png", "images/val.png"),
    ],
)
def test_a_table_is_another_when_what_it_is_made_of_is(root, program, output, replaced, other):
    """Equal content, equal bytes, whatever the dates; what is remembered of those is hidden."""
    files = {}
    for step in ("first", "touched", "other", "replaced"):
        if step == "touched":
            os.utime(root / replaced, (1, 1))
        elif step != "first":
            name = other if step == "other" else replaced
            Image.new("L", (8, 6), 2 if step == "replaced" else 1).save(root / name)
        assert run(root, ("cat", "dog"), program, f"{step}/{output}").returncode == 0
        files[step] = (root / step / output).read_bytes()
        record = Record.read(root / step / output)
        assert record.state == "files as they were"
        assert replaced in record.checksums
    assert files["first"] == files["touched"] == files["other"]
    assert files["first"] != files["replaced"]


def test_a_bad_data_set_ends_in_one_report_and_no_output(root):
    (root / "images" / "tune.png").unlink()
    (root / "masks" / "val.png").write_bytes(b"")
    result = run(root, ("dog",))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "error: the data set" in result.stderr
    assert "3 × label not among data.classes" in result.stderr
    assert "1 × missing image" in result.stderr
    assert "1 × unreadable mask" in result.stderr
    assert [path.name for path in (root / "out").iterdir()] == [NAME]


def kept(root):
    """Kinds of the files of which something is remembered."""
    lines = (root / "out" / NAME).read_text().splitlines()[1:]
    return sorted(json.loads(line)[0] for line in lines)


def test_what_was_seen_is_kept_for_the_next_program_and_run(root):
    for split in ("train", "tune"):
        Image.new("RGB", (8, 6), "blue").save(root / "images" / f"{split}.png")
    (root / "images" / "val.png").write_bytes(b"damaged")
    assert run(root, ("cat",)).returncode == 1
    assert kept(root) == ["image"] * 2 + ["mask"] * 2
    Image.new("RGB", (8, 6), "red").save(root / "images" / "val.png")
    assert run(root, ("cat",), "index_masks", "out/masks.parquet").returncode == 0
    assert kept(root) == ["image"] * 3 + ["mask"] * 3


def test_a_folder_of_masks_may_be_named_as_annotations_of_coco_are(root):
    """And a split as a list of COCO's: only of COCO's are masks drawn."""
    (root / "masks").rename(root / "annotations")
    table = root / "labels.csv"
    table.write_text(table.read_text().replace(",train,", ",train.txt,"))
    where = {"root": str(root), "masks": "annotations", "splits": {"train": "train.txt"}}
    data = Data(format="folder", classes=("cat",), **where)
    command = [sys.executable, "-m", "workflow_scripts.index_dataset", "--data", data.canonical()]
    command += ["--images", '{"patch": 2}', "--output", root / "out/index.parquet"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
