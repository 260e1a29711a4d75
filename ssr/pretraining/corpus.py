"""Web scenes stored once as arrays that training maps instead of loading."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssr.demo.scenes import make_scenes
from ssr.demo.vocabulary import CLASSES, SIDE, STUFF

Bytes = NDArray[np.uint8]
UNLABELLED = len(CLASSES + STUFF)
PARTS = ("images", "masks", "stuff")


@dataclass(frozen=True)
class CorpusRecipe:
    """Which scenes: the web co-occurs weakly, the demo strongly, and no seed is the demo's own."""

    count: int
    seed: int
    correlation: float


WEB = CorpusRecipe(48_000, 990_001, 0.1)
PROBED_WEB = CorpusRecipe(500, 990_004, 0.1)
HELD_OUT = {"web": CorpusRecipe(500, 990_002, 0.1), "usual": CorpusRecipe(500, 990_003, 1.0)}


def join_labels(mask: Bytes, stuff: Bytes) -> Bytes:
    """One label map from an object mask (0, 1..10, 255) and a stuff map, any equal shapes."""
    joined = np.where(mask > 0, mask - 1, stuff + len(CLASSES)).astype(np.uint8)
    joined[mask == 255] = UNLABELLED
    return joined


@dataclass(frozen=True)
class Corpus:
    """images (N, 112, 112, 3), masks and stuff (N, 112, 112): uint8, possibly memory-mapped."""

    images: Bytes
    masks: Bytes
    stuff: Bytes

    def __len__(self) -> int:
        return len(self.images)

    def rows(self, indices: NDArray[np.int64]) -> tuple[Bytes, Bytes]:
        """Images and joined label maps (0..17) of some scenes, in the order asked for."""
        return self.images[indices], join_labels(self.masks[indices], self.stuff[indices])


def write_corpus(directory: Path, recipe: CorpusRecipe, processes: int = 1) -> None:
    """Draw scenes into `directory`; a finished corpus is left as it is."""
    if (directory / "done").exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    shapes = ((recipe.count, SIDE, SIDE, 3), *[(recipe.count, SIDE, SIDE)] * 2)
    images, masks, stuff = (
        np.lib.format.open_memmap(directory / f"{part}.npy", "w+", np.uint8, shape)
        for part, shape in zip(PARTS, shapes, strict=True)
    )
    scenes = make_scenes(recipe.count, recipe.seed, recipe.correlation, processes)
    for row, scene in enumerate(scenes):
        images[row], masks[row], stuff[row] = scene.image, scene.mask, scene.stuff
    for array in (images, masks, stuff):
        array.flush()
    (directory / "done").touch()


def open_corpus(directory: Path) -> Corpus:
    """Map a stored corpus read-only."""
    return Corpus(
        *(np.load(directory / f"{part}.npy", mmap_mode="r", allow_pickle=False) for part in PARTS)
    )
