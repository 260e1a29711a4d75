"""What a run notices of a data set that changed since it was indexed, and what it makes anew."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssr.data.pngs import encode_png
from ssr.doctor.workflow import ask, stale
from tests.workflow.conftest import in_folder, rules_in, workflow_in

pytestmark = pytest.mark.slow

TABLES = ("results/my_folder/index/index.parquet", "results/my_folder/index/masks.parquet")
ROOT = "data/my_folder"
SIZE = (24, 16)  # width, height
CLUSTERS = "prototypes={clusters: 2}"
MORE = "{data: {masks: masks}, labels: {threshold: null}, prototypes: {clusters: 2}}"


def draw(folder: Path, name: str, value: int) -> None:
    Image.new("RGB", SIZE, (value,) * 3).save(folder / ROOT / f"images/{name}.png")


def draw_mask(folder: Path, name: str, value: int) -> None:
    mask = encode_png(np.full(SIZE[::-1], value, np.uint8))
    (folder / ROOT / f"masks/{name}.png").write_bytes(mask)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone, in which the test stands, with four images and their masks beside it."""
    monkeypatch.chdir(workflow_in(tmp_path))
    (tmp_path / "more.yaml").write_text(MORE)
    for part in ("images", "masks"):
        (tmp_path / ROOT / part).mkdir(parents=True)
    for number, name in enumerate("abcd"):
        draw(tmp_path, name, number)
        draw_mask(tmp_path, name, 1)
    rows = "".join(f"{name}.png,boat\n" for name in "abcd")
    (tmp_path / ROOT / "labels.csv").write_text(f"image,labels\n{rows}")
    return tmp_path


def test_the_demo_is_made_and_indexed_once(folder: Path) -> None:
    """When its first run starts, none of its images is there."""
    tables = [name.replace("my_folder", "demo") for name in TABLES]

    def run(*arguments: str, val: int = 1) -> subprocess.CompletedProcess[str]:
        demo = f"data={{demo: {{train: 2, tune: 1, val: {val}}}}}"
        return in_folder(folder)(*arguments, *tables, "--config", demo, CLUSTERS)

    run("--cores", "2")
    assert rules_in(run("-n")) == set()
    run("--cores", "2", val=2)
    assert rules_in(run("-n", val=2)) == set()
    (folder / "data/demo/masks/demo_000000.png").write_bytes(b"")
    assert rules_in(run("-n", val=2)) == {"index_masks"}


def test_what_changed_is_noticed_and_no_more_is_made_anew(folder: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        overlays = ("--configfile", "config/my_folder.yaml", "more.yaml")
        return in_folder(folder)(*arguments, *TABLES, *overlays)

    run("--cores", "2")
    assert rules_in(run("-n")) == set()
    for path in (folder / ROOT).rglob("*.*"):
        os.utime(path, (1, 1))
    assert rules_in(run("-n")) == set(), "a copy with other dates"
    draw_mask(folder, "a", 0)
    assert rules_in(run("-n")) == {"index_masks"}
    (finding,) = stale(ask(["config/my_folder.yaml", "more.yaml"]))
    assert finding.text == "index_masks (1 file): masks of the data set changed"
    run("--cores", "2")
    assert rules_in(run("-n")) == set()
    draw(folder, "a", 99)
    assert rules_in(run("-n")) == {"index_dataset", "index_masks"}


def test_an_image_that_is_added_makes_anew_what_is_made_of_its_part(folder: Path) -> None:
    """Though the index, which all read, is another; and what has been made anew is made once."""
    table = folder / ROOT / "labels.csv"
    splits = zip("abcd", ("train", "train", "tune", "val"), strict=True)
    table.write_text(
        "image,split,labels\n" + "".join(f"{name}.png,{split},boat\n" for name, split in splits)
    )

    def add(name: str, split: str) -> None:
        draw(folder, name, 9)
        with table.open("a") as file:
            file.write(f"{name}.png,{split},boat\n")

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        test = "test" if made[4:] else "null"
        more = f"data={{masks: masks, shard_size: 1, splits: {{test: {test}}}}}"
        targets = [f"results/my_folder/superpixels/ssr/{shard}.zarr.zip" for shard in made]
        overlays = ("--configfile", "config/my_folder.yaml", "more.yaml", "--config", more)
        return in_folder(folder)(*arguments, *targets, *overlays, check=check)

    def segmented(printed: subprocess.CompletedProcess[str]) -> set[str]:
        rules, shards = rules_in(printed), re.findall(r"shard=(\w+)", printed.stdout)
        assert rules == ({"index_dataset", "segment_superpixels"} if shards else set())
        return set(shards)

    made = ["train_0000", "train_0001", "tune_0000", "val_0000"]
    run("--cores", "2")
    assert segmented(run("-n")) == set()
    add("e", "test")
    made.append("test_0000")
    assert segmented(run("-n")) == {"test_0000"}
    add("f", "train")
    made.append("train_0002")
    assert segmented(run("-n")) == {"test_0000", "train_0002"}
    draw(folder, "b", 77)
    assert segmented(run("-n")) == {"test_0000", "train_0001", "train_0002"}
    run("--cores", "2")
    assert segmented(run("-n")) == set()
    (folder / TABLES[0]).unlink()
    assert segmented(run("-n")) == set(), "an index that is missing makes nothing else anew"
    add("g", "val")
    (folder / ROOT / "images/g.png").write_bytes(b"")
    draw_mask(folder, "g", 1)
    made.append("val_0001")
    assert run("--cores", "2", check=False).returncode
    draw(folder, "g", 5)
    assert segmented(run("-n")) == {"val_0001"}, "behind an index that failed"
