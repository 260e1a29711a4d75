"""Folders as people have them: photographs, as small as can be, and what says what they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssr.data.pngs import encode_png
from ssr.running.machine import Machine
from tests import ROOT

SIZE = (32, 48)
LAPTOP = Machine(cores=1, memory=16 * 10**9)
SERVER = Machine(cores=16, memory=128 * 10**9, gpu="H100", gpu_memory=80 * 10**9)

Photographs = Callable[..., Path]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone, which is the current folder, on a laptop."""
    monkeypatch.setattr(Machine, "here", lambda: LAPTOP)
    for part in ("Snakefile", "config.yaml", "config", "backbones"):
        (tmp_path / part).symlink_to(ROOT / part)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def folder(clone: Path) -> Path:
    """An empty folder in the clone, named as the user does."""
    (clone / "harbour").mkdir()
    return Path("harbour")


def photograph(path: Path, number: int = 0) -> None:
    """Another one for every number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def photographs(folder: Path, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        photograph(folder / name, number)


def mask(path: Path, *values: int) -> None:
    """Stripes of these indices."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.resize(np.array(values, np.uint8), SIZE[0])
    path.write_bytes(encode_png(rows[:, None].repeat(SIZE[1], axis=1)))


def labelled(folder: Path, rows: Sequence[str], header: str = "image,labels") -> Path:
    """A folder with labels.csv of these rows and a photograph of each name."""
    names = dict.fromkeys(row.split(",")[0] for row in rows)
    photographs(folder / "images", [*names])
    (folder / "labels.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return folder


def boats(folder: Path, count: int = 12) -> Path:
    """Boats, with a gull in every second image."""
    names = ("boat;gull" if number % 2 else "boat" for number in range(count))
    return labelled(folder, [f"{n:02}.jpg,{name}" for n, name in enumerate(names)])
