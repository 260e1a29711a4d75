import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ssr.config import Data
from ssr.data.index import Index
from ssr.data.masks import Masks
from ssr.data.pngs import encode_png


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


def run(root, classes):
    data = Data(format="folder", root=str(root), classes=classes).canonical()
    command = [sys.executable, "-m", "workflow_scripts.index_dataset", "--data", data]
    command += ["--images", '{"patch": 2}']
    outputs = ["--index", root / "out/index.parquet", "--masks", root / "out/masks.parquet"]
    return subprocess.run([*command, *outputs], capture_output=True, text=True)


def test_writes_the_index_and_the_table_of_masks(root):
    result = run(root, ("cat", "dog"))
    assert result.returncode == 0, result.stderr
    assert "warning: 1 × class without an image in train: dog" in result.stderr
    assert [image.id for image in Index.read(root / "out/index.parquet").images] == [
        "train",
        "tune",
        "val",
    ]
    assert Masks.read(root / "out/masks.parquet", root).references["val"] == "masks/val.png"


def test_a_bad_data_set_ends_in_one_report_and_no_output(root):
    (root / "images" / "tune.png").unlink()
    result = run(root, ("dog",))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "error: the data set" in result.stderr
    assert "3 × label not among data.classes" in result.stderr
    assert "1 × missing image" in result.stderr
    assert not (root / "out").exists()
