"""Programs run as Snakemake runs them, but in this process; a shard of two images."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from ssr.data.index import Image, Index


@pytest.fixture
def run_program(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`run_program(name, *arguments)`: `python -m workflow_scripts.name arguments`."""

    def run(name: str, *arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_module(f"workflow_scripts.{name}", run_name="__main__")

    return run


@pytest.fixture
def shard_folder(tmp_path: Path) -> Path:
    """Two images in the shard train_0000 and one in another shard, which must not be read."""
    sizes = {"wide": (45, 20), "tall": (20, 45)}
    images = []
    for number, (name, (width, height)) in enumerate(sizes.items()):
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
        Picture.fromarray(pixels).save(tmp_path / f"{name}.png")
        images.append(Image(name, f"{name}.png", width, height, "train", (1,), "train_0000"))
    images.append(Image("other", "gone.png", 20, 20, "val", (1,), "val_0000"))
    Index(tuple(images)).write(tmp_path / "index.parquet")
    return tmp_path
