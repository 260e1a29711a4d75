"""What a run notices of a data set that changed since it was indexed, and what it makes anew."""

from __future__ import annotations

import os
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
