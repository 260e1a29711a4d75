"""Train CLIPs that differ only in how many images carry strokes, and a DINO that saw no mask.

`docs/results.md`, "When the method pays", rests on them. Crops are centred on objects by the masks
and captions name what is visible, whatever the dose. `scenes` draws web scenes and segments some
of them by colour, `clip` trains all CLIPs on the same lessons, `dino` one DINO whose segments are
regions of colour; on one H100 with 16 cores that took about five minutes.

`python -m benchmarks.dose_training scenes|clip|dino --work W --output O`
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.cluster.vq import kmeans2
from skimage.color import rgb2lab
from skimage.segmentation import slic
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.clip_stack import ClipStack
from ssr.backbones.networks import load_tokenizer, normalise_pixels
from ssr.config import Backbone
from ssr.data.images import CLIP_MEAN, CLIP_STD
from ssr.pretraining.clip import Vocabulary
from ssr.pretraining.corpus import Bytes, Corpus, CorpusRecipe, open_corpus, write_corpus
from ssr.pretraining.dino import DinoTraining
from ssr.pretraining.export import write_clip, write_dino, write_json
from ssr.pretraining.lessons import Chance
from ssr.pretraining.recipes import ClipRecipe, DinoRecipe
from ssr.pretraining.scenes import SceneClipLessons, SceneDinoLessons
from ssr.pretraining.strokes import draw_strokes

DOSES = (0.0, 0.01, 0.1, 1.0)
SEEDS = (0, 1, 2)
SCENES, SEED, CORRELATION = 20_000, 880_001, 0.1  # neither the demo's seed, nor its backbones'
SEGMENTED = 8_000
CLIP_MODEL, DINO_MODEL = "backbones/demo_clip.json", "backbones/demo_dino.json"
REGIONS, SUPERPIXELS, PLACE_WEIGHT = 8, 100, 0.3
CLIP_STEPS, DINO_STEPS = 2354, 3000
PURPOSE = 1  # of the randomness of CLIP's steps
TOLD_EVERY = 200
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def colour_regions(image: Bytes) -> Bytes:
    """Regions (H, W) uint8 of an image (H, W, 3): K-means over colour and place of superpixels."""
    labels = slic(image, n_segments=SUPERPIXELS, compactness=10, start_label=0)
    rows, columns = np.mgrid[: len(image), : image.shape[1]] * PLACE_WEIGHT
    pixels = np.concatenate([rgb2lab(image), rows[..., None], columns[..., None]], -1)
    flat = labels.ravel()
    sums = [np.bincount(flat, part) for part in pixels.reshape(-1, 5).T]
    means = np.stack(sums, 1) / np.bincount(flat)[:, None]
    _, region = kmeans2(means, REGIONS, iter=15, minit="++", rng=0)
    regions: Bytes = region[labels].astype(np.uint8)
    return regions


def make_scenes(arguments: argparse.Namespace) -> None:
    """Draw all scenes, then segment the first of them."""
    recipe = CorpusRecipe(arguments.scenes, SEED, CORRELATION)
    write_corpus(arguments.work / "web", recipe, arguments.workers)
    images = open_corpus(arguments.work / "web").images[:SEGMENTED]
    with get_context("fork").Pool(arguments.workers) as pool:
        regions = pool.map(colour_regions, images, chunksize=50)
    np.save(arguments.work / "regions.npy", np.stack(regions))


@dataclass
class Remembered:
    """A corpus that says which of its scenes were asked for last."""

    corpus: Corpus
    last: Any = None

    def __len__(self) -> int:
        return len(self.corpus)

    def rows(self, indices: Any) -> tuple[Bytes, Bytes]:
        """As `Corpus.rows`."""
        self.last = indices
        return self.corpus.rows(indices)


@dataclass
class Coloured:
    """A corpus whose label maps are regions of colour, as far as there are such."""

    corpus: Corpus
    regions: Bytes

    def __len__(self) -> int:
        return len(self.regions)

    def rows(self, indices: Any) -> tuple[Bytes, Bytes]:
        """As `Corpus.rows`."""
        return self.corpus.images[indices], self.regions[indices]


def clip_recipe(steps: int, shrink: int) -> ClipRecipe:
    """The demo's recipe at another length; the last block keeps its MLP."""
    crops = round(0.45 * steps)
    return ClipRecipe(
        crop_steps=crops,
        scene_steps=steps - crops,
        focus_start=round(0.27 * steps),
        crop_batch=96 // shrink,
        scene_batch=40 // shrink,
        value_start=round(0.42 * steps),
        bare_start=steps + 1,
        last_step=steps,
    )


@dataclass
class ClipLessons(Dataset[dict[str, Tensor]]):
    """The lessons of all steps as tensors, with all their strokes, and where each image stands."""

    scenes: Corpus
    recipe: ClipRecipe
    vocabulary: Vocabulary
    remembered: Remembered = field(init=False)

    def __post_init__(self) -> None:
        self.remembered = Remembered(self.scenes)

    def __len__(self) -> int:
        return self.recipe.steps

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        torch.set_num_threads(1)
        recipe, chance = self.recipe, Chance.of(self.recipe.seed, PURPOSE, step)
        lessons = SceneClipLessons(self.remembered, recipe)  # type: ignore[arg-type]
        lesson = lessons.draw(step, chance)
        names, count = lesson.name_patches(torch.empty(0)), len(lesson.prompts)
        weights, targets = draw_strokes(
            names, count, recipe.strokes, recipe.stroke_patches, chance.torch
        )
        texts = self.vocabulary([*lesson.captions, *lesson.prompts])
        ends = texts.argmax(1)
        return {
            "inputs": normalise_pixels(lesson.pixels, CLIP_MEAN, CLIP_STD),
            "share": torch.from_numpy(self.remembered.last) / len(self.scenes),
            "places": lesson.places,
            "kept": lesson.kept,
            "texts": texts[:, : int(ends.max()) + 1],
            "ends": ends,
            "matches": lesson.matches,
            "weights": weights,
            "targets": targets,
        }

    def drawn(self, workers: int) -> Iterator[dict[str, Tensor]]:
        """In the order of their steps, by other processes."""
        return iter(DataLoader(self, batch_size=None, num_workers=workers))


def train_clips(arguments: argparse.Namespace) -> None:
    """Train and write every CLIP."""
    kinds = [(dose, seed) for seed in SEEDS[: arguments.seeds] for dose in DOSES]
    recipe = clip_recipe(arguments.steps or CLIP_STEPS, arguments.shrink)
    scenes = open_corpus(arguments.work / "web")
    sentences = SceneClipLessons(scenes, recipe).sentences
    vocabulary = Vocabulary(load_tokenizer(Backbone(model=CLIP_MODEL, weights="random")), sentences)
    stack = ClipStack(CLIP_MODEL, kinds, vocabulary, recipe, DEVICE)
    history = []
    for lesson in ClipLessons(scenes, recipe, vocabulary).drawn(arguments.workers):
        losses = stack.step(lesson)
        if stack.done % TOLD_EVERY == 0:
            history.append(losses.tolist())
            print(f"CLIP step {stack.done}: {history[-1]}", flush=True)
    for index, (dose, seed) in enumerate(kinds):
        path = arguments.output / f"clip_{100 * dose:g}_{seed}.safetensors"
        write_clip(stack.state(index), vocabulary.identifiers, path)
    told = {"steps": stack.done, "kinds": kinds, "history": history}
    write_json(told, arguments.output / "clips.json")


def dino_recipe(steps: int, shrink: int) -> DinoRecipe:
    """The demo's recipe at another length; grouping starts after 30 % of it."""
    large = round(0.06 * steps)
    return DinoRecipe(
        crop_steps=steps - large,
        scene_steps=large,
        crop_batch=64 // shrink,
        scene_batch=max(2, 20 // shrink),
        grouping_start=round(0.3 * steps),
    )


def train_dino(arguments: argparse.Namespace) -> None:
    """Train; write the teacher when grouping starts, as "early", at 60 %, and at the end."""
    recipe = dino_recipe(arguments.steps or DINO_STEPS, arguments.shrink)
    corpus = open_corpus(arguments.work / "web")
    scenes = Coloured(corpus, np.load(arguments.work / "regions.npy"))
    lessons = SceneDinoLessons(scenes, recipe)  # type: ignore[arg-type]
    learner = DinoTraining(DINO_MODEL, lessons, recipe, DEVICE)
    looks = {
        recipe.grouping_start: "early",
        round(0.6 * recipe.steps): "middle",
        recipe.steps: "last",
    }
    for done in learner.run(arguments.work / "dino"):
        if done in looks:
            path = arguments.output / f"dino_{looks[done]}.safetensors"
            write_dino(learner.model.state_dict(), path)


PROGRAMS = {"scenes": make_scenes, "clip": train_clips, "dino": train_dino}


def main(arguments: list[str] | None = None) -> None:
    """Run one of the programs."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("program", choices=PROGRAMS)
    flags.add_argument("--work", type=Path, required=True, help="scenes and checkpoints")
    flags.add_argument("--output", type=Path, required=True, help="weights")
    flags.add_argument("--scenes", type=int, default=SCENES)
    flags.add_argument("--seeds", type=int, default=len(SEEDS))
    flags.add_argument("--steps", type=int, help="of the training; that of the page without")
    flags.add_argument("--shrink", type=int, default=1, help="batches are so much smaller")
    flags.add_argument("--workers", type=int, default=8, help="processes that draw")
    chosen = flags.parse_args(arguments)
    for folder in (chosen.work, chosen.output):
        folder.mkdir(parents=True, exist_ok=True)
    PROGRAMS[chosen.program](chosen)


if __name__ == "__main__":
    torch.backends.cuda.matmul.allow_tf32 = True
    main()
