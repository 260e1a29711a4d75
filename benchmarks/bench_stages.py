"""More rows of `benchmarks.bench`: CMPA's training, and the index of a data set."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks import plain
from benchmarks.bench_rows import CLASSES, COMPACTNESS, Material, Pair
from benchmarks.opened import PROCESSES
from ssr.alignment.heads import starting_heads
from ssr.alignment.prototypes import make_prototypes
from ssr.alignment.samples import Samples
from ssr.alignment.training import LabelledSamples, Round
from ssr.cams.superpixels import slic
from ssr.config import Alignment, Data, Images
from ssr.data.pngs import encode_png

ROOT = Path(__file__).parents[1]
NAMES = tuple(f"class {number}" for number in range(1, CLASSES + 1))
FILES = 3000
"""Images of the data set that is indexed, each with a mask."""


def alignment(material: Material) -> Iterator[Pair]:
    """An iteration of CMPA on a batch of all photographs, one class each.

    From stored features, or with the frozen network in the loop.
    """
    pixels = [material.pixels(photograph) for photograph in material.photographs]
    cams = [material.cams(photograph, 1)[2] for photograph in material.photographs]
    encode = partial(plain.pooled, material.clip, pixels, cams)
    ours, reference = (_round(material, encode()) for _ in range(2))

    def from_network() -> list[float]:
        samples = replace(reference.data.samples, features=encode())
        reference.data = replace(reference.data, samples=samples)
        return _step(reference)

    yield Pair(partial(_step, ours), from_network)


def _step(state: Round) -> list[float]:
    state.step()
    return [state.history[-1][1]]


def _round(material: Material, features: NDArray[np.float32]) -> Round:
    count, texts = len(features), material.texts.classes
    settings = Alignment(width=512, batch_size=count, stop="last")
    samples = Samples(np.arange(count).astype(str), np.arange(count) % CLASSES, features)
    heads = starting_heads(settings, samples, torch.from_numpy(texts), 0)
    prototypes = make_prototypes(heads, samples, texts, CLASSES, count, 0)
    data = LabelledSamples(samples, prototypes, settings.loss)
    return Round(heads, data, settings, seed=0, before=0)


def indexing(material: Material) -> Iterator[Pair]:
    """Checksums, index and table of masks of a data set, or each of its files decoded once."""
    folder = TemporaryDirectory()  # it is removed with the last of the pair, which holds it
    data = write_data_set(Path(folder.name), material.photographs)
    yield Pair(partial(_index, data), lambda: _program("benchmarks.opened", folder.name))


def write_data_set(root: Path, photographs: Sequence[NDArray[np.uint8]]) -> Data:
    """A folder of `FILES` images and masks, links to those of the photographs."""
    for name in ("images", "masks"):
        (root / name).mkdir()
    rows: list[tuple[str, ...]] = []
    shown: list[str] = []
    for number in range(FILES):
        place = number % len(photographs)
        image, mask = root / f"images/{number}.jpg", root / f"masks/{number}.png"
        if number == place:
            Image.fromarray(photographs[place]).save(image, quality=90)
            labels = np.minimum(slic(photographs[place], CLASSES, COMPACTNESS), CLASSES)
            shown.append(";".join(NAMES[label - 1] for label in np.unique(labels) if label))
            mask.write_bytes(encode_png(labels.astype(np.uint8)))
        else:
            os.link(root / f"images/{place}.jpg", image)
            os.link(root / f"masks/{place}.png", mask)
        rows.append((image.name, shown[place], ("train", "tune", "val")[number % 3]))
    with (root / "labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("image", "labels", "split"), *rows])
    return Data(format="folder", root=str(root), classes=NAMES)


def _index(data: Data) -> None:
    """By the two programs, as if for the first time: beside a table lies what was seen of files."""
    shared = ("--data", data.canonical(without=("demo",)), "--threads", PROCESSES)
    images = ("--images", Images(patch=16).canonical())
    with TemporaryDirectory() as made:
        table, masks = f"{made}/index.parquet", f"{made}/masks.parquet"
        _program("workflow_scripts.index_dataset", *shared, *images, "--output", table)
        _program("workflow_scripts.index_masks", *shared, "--index", table, "--output", masks)


def _program(module: str, *arguments: object) -> None:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)


ROWS: Mapping[str, Callable[[Material], Iterator[Pair]]] = {
    "align_prototypes": alignment,
    "index": indexing,
}
