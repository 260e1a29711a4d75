"""Photographs, networks and clocks for `benchmarks.gpu`."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
import yaml
from PIL import Image as Picture

from ssr.backbones.features import images_at_once
from ssr.backbones.networks import load_pair
from ssr.backbones.text import TextEmbeddings
from ssr.config import Backbones, Cams, Features, Prediction, Segmenter
from ssr.data.images import load_on_grid, patch_grid
from ssr.data.index import Image, Index
from ssr.data.pngs import PngWriter

ROOT = Path(__file__).parents[1]
SIZES = ((500, 375), (500, 375), (500, 333), (375, 500))  # the most common of VOC, by frequency
TINY = 6  # the sides of --tiny are so many times smaller
PRESENT = (1, 1, 2, 3)  # classes in a photograph
QUALITY = 92  # of JPEG: as many bytes as VOC's photographs have
SECONDS = 0.3  # that each call is repeated for
SKIPPED = 1 / 3  # of a program's images: start and warming up
FILES = 96  # photographs that are made; more images are the same again


class Bench:
    """Photographs, labels, texts and settings in a folder."""

    def __init__(self, folder: Path, flags: Namespace) -> None:
        self.folder, self.threads, self.tiny = folder, flags.threads, flags.tiny
        self.device = torch.device(flags.device)
        file = "config.yaml" if self.tiny else "config/voc.yaml"
        voc: dict[str, Any] = yaml.safe_load((ROOT / file).read_text())
        self.patch: int = voc["images"]["patch"]
        backbones = voc["backbones"]
        if not self.tiny:
            backbones = {name: part | {"weights": "random"} for name, part in backbones.items()}
        self.backbones = Backbones(**backbones)
        self.features = Features(**voc["features"])
        self.cams = Cams(score="gradient", gradient="product")
        self.prediction = Prediction(**voc["prediction"])
        self.segmenter = Segmenter(**voc["segmenter"])
        self.classes: list[str] = voc["data"]["classes"]
        self.backgrounds: list[str] = voc["text"]["backgrounds"]
        self.images = self._photographs(flags.images)
        self._texts().write(folder / "texts.npz")

    def _photographs(self, count: int) -> list[Image]:
        for number in range(min(count, FILES)):
            random = np.random.default_rng(number)
            path = self.folder / f"photo_{number}.jpg"
            _photograph(random, *self._size(number)).save(path, quality=QUALITY)
        images = []
        with PngWriter(self.folder / "labels.zip") as writer:
            for number in range(count):
                random = np.random.default_rng(number)
                width, height = self._size(number)
                present = random.choice(len(self.classes), random.choice(PRESENT), False) + 1
                mask = np.zeros((height, width), np.uint8)
                mask[height // 4 : -height // 4, width // 4 : -width // 4] = present[0]
                name, file = f"photo_{number:05d}", f"photo_{number % FILES}.jpg"
                writer.add(name, mask)
                labels = tuple(sorted(map(int, present)))
                images.append(Image(name, file, width, height, "train", labels, "train_0000"))
        Index(tuple(images)).write(self.folder / "index.parquet")
        return images

    def _size(self, number: int) -> tuple[int, int]:
        width, height = SIZES[number % len(SIZES)]
        return (width // TINY, height // TINY) if self.tiny else (width, height)

    def _texts(self) -> TextEmbeddings:
        names = [*self.classes, *self.backgrounds]
        random = torch.Generator().manual_seed(0)
        vectors = torch.randn(len(names), self.pair[0].visual.output_dim, generator=random)
        units = F.normalize(vectors, dim=-1).numpy()
        count = len(self.classes)
        return TextEmbeddings(units[:count], units[count:], np.array(names), np.float32(100))

    @cached_property
    def pair(self) -> tuple[Any, Any]:
        """CLIP and DINO on the device."""
        return load_pair(self.backbones, self.patch, self.device)

    @cached_property
    def batch(self) -> list[np.ndarray]:
        """Photographs of one grid, as many as the device takes at once."""
        first = self.images[0]
        alike = [
            each for each in self.images if (each.width, each.height) == (first.width, first.height)
        ]
        grid = patch_grid(first.height, first.width, self.patch)
        size = images_at_once(self.pair[0], self.features, grid)
        return [load_on_grid(self.folder / each.image, self.patch) for each in alike[:size]]

    def features_in(self, kind: str) -> Features:
        """The settings of features in a precision; TF32 is none of them."""
        stored = "float16" if kind == "float16" else "float32"
        return self.features.model_copy(update={"precision": stored})

    def arguments(self, **others: object) -> Namespace:
        """Of a program."""
        common = {"index": self.folder / "index.parquet", "root": self.folder}
        common |= {"shard": "train_0000", "threads": self.threads, "device": self.device.type}
        return Namespace(**common, **others)

    def run(self, program: str, **others: object) -> dict[str, float]:
        """Images a second of a program without its start, and what its end takes of an image."""
        module = __import__(f"workflow_scripts.{program}", fromlist=["main"])
        with stamped(module) as stamps:
            module.main(Namespace(**vars(self.arguments()) | others))
        closing = 1000 * (time.perf_counter() - stamps[-1]) / len(stamps)
        return {"per_second": steady(stamps), "closing_ms": closing}


def _photograph(random: np.random.Generator, width: int, height: int) -> Picture.Image:
    """Blobs of colour with noise on them."""
    blobs = Picture.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
    smooth = np.asarray(blobs.resize((width, height), Picture.Resampling.BICUBIC), np.int16)
    noisy = smooth + random.normal(0, 12, (height, width, 1)).astype(np.int16)
    return Picture.fromarray(noisy.clip(0, 255).astype(np.uint8))


@contextmanager
def stamped(module: ModuleType) -> Iterator[list[float]]:
    """When a module was done with each item that it reports the progress of."""
    stamps: list[float] = []

    def passing(items: Iterable[Any], *_: object) -> Iterator[Any]:
        for item in items:
            yield item
            stamps.append(time.perf_counter())

    with patch.object(module, "progress", passing):
        yield stamps


def steady(stamps: list[float]) -> float:
    """Items a second behind the first third."""
    first = int(len(stamps) * SKIPPED)
    return (len(stamps) - 1 - first) / (stamps[-1] - stamps[first])


@contextmanager
def precision(name: str, device: torch.device) -> Iterator[None]:
    """Let the networks compute in a precision."""
    kinds: dict[str, AbstractContextManager[Any]] = {
        "bfloat16": torch.autocast(device.type, torch.bfloat16),
        "float16": torch.autocast(device.type, torch.float16),
    }
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = name == "tf32"
    try:
        with kinds.get(name, nullcontext()):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def seconds(call: Callable[[], object], device: torch.device) -> float:
    """Median of a call's repetitions, the GPU's work included."""
    wait = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)
    call()
    times: list[float] = []
    while len(times) < 3 or sum(times) < SECONDS:
        wait()
        start = time.perf_counter()
        call()
        wait()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def peak(device: torch.device) -> float:
    """GB of the GPU's memory that tensors took at most since the last call."""
    if device.type == "cpu":
        return float("nan")
    most = torch.cuda.max_memory_allocated(device) / 1e9
    torch.cuda.reset_peak_memory_stats(device)
    return most
