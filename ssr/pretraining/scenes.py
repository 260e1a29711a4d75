"""Lessons from procedural web scenes: captions, strokes and segments come from exact label maps.

Labels join objects and stuff in one map: 0..9 object class, 10..16 stuff, 17 nothing usable.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssr.demo.vocabulary import CLASSES, SIDE, STUFF
from ssr.pretraining.captions import Speaker
from ssr.pretraining.corpus import UNLABELLED, Corpus
from ssr.pretraining.lessons import Chance, ClipLesson, Sight
from ssr.pretraining.positions import corner_places
from ssr.pretraining.recipes import ClipRecipe, DinoRecipe
from ssr.pretraining.views import (
    Bytes,
    Floats,
    Views,
    brightness,
    colour_jitter,
    cut_views,
    patch_names,
    patch_shares,
    place_windows,
)

PATCH = 8
GRID = SIDE // PATCH
MIDDLE = (SIDE - 1) / 2


def name_patches(views: Views) -> Tensor:
    """The name that each patch shows, (B, n) int64, -1 where none fills it."""
    return patch_names(patch_shares(views.labels, UNLABELLED + 1, PATCH))


def object_centres(labels: Bytes, generator: np.random.Generator) -> Floats:
    """(row, column) centre of one object an image, drawn by area; the image's centre without."""
    centres = np.full((len(labels), 2), (labels.shape[1] - 1) / 2)
    for position, label in enumerate(labels):
        flat = np.flatnonzero(label.ravel() < len(CLASSES))
        if len(flat):
            chosen = label.ravel()[flat[generator.integers(len(flat))]]
            same = flat[label.ravel()[flat] == chosen]
            centres[position] = (same // label.shape[1]).mean(), (same % label.shape[1]).mean()
    return centres


def visible_names(labels: Tensor, whole: Tensor) -> NDArray[np.bool_]:
    """Which of the 17 names a caption of each view may mention, (B, 17) bool.

    An object counts when 60 pixels and 30 % of it (or 400 pixels) are in the view, stuff from 100
    pixels.
    """

    def areas(maps: Tensor) -> Tensor:
        index = maps.flatten(1) + torch.arange(len(maps))[:, None] * 18
        return torch.bincount(index.flatten(), minlength=len(maps) * 18).view(-1, 18)[:, :17]

    here, there = areas(labels), areas(whole)
    objects = (here >= 60) & ((here >= 0.3 * there) | (here > 400))
    objects[:, len(CLASSES) :] = here[:, len(CLASSES) :] >= 100
    result: NDArray[np.bool_] = objects.numpy()
    return result


def any_places(size: int, generator: np.random.Generator) -> Tensor:
    """Places of a view of `size` pixels anywhere: what a scene shows where must not be learned."""
    grid = size // PATCH
    row, column = (int(value) for value in generator.integers(0, GRID + 1 - grid, 2))
    return corner_places((row, column), grid, GRID)


class SceneClipLessons:
    """Crops around objects first, whole scenes later; exact captions and strokes."""

    def __init__(self, corpus: Corpus, recipe: ClipRecipe) -> None:
        self.corpus = corpus
        self.recipe = recipe
        self.speaker = Speaker(CLASSES, STUFF)

    @property
    def sentences(self) -> Sequence[str]:
        """Texts that hold every token."""
        return self.speaker.sentences

    def draw(self, step: int, chance: Chance) -> ClipLesson:
        """The lesson of a step."""
        recipe, crops = self.recipe, step < self.recipe.crop_steps
        views, whole = self._views(crops, chance.numpy)
        captions, matches = self._captions(visible_names(views.labels, whole), chance.numpy)
        names = name_patches(views)
        rank = torch.rand(names.shape, generator=chance.torch)
        if crops and step >= recipe.focus_start:
            rank = rank - 0.5 * ((names >= 0) & (names < len(CLASSES)))
        keep = recipe.kept_patches if crops else recipe.kept_scene_patches
        kept = rank.argsort(1)[:, :keep]
        named = names.gather(1, kept)
        return ClipLesson(
            pixels=brightness(views.pixels, 0.2, chance.torch),
            places=any_places(views.pixels.shape[-1], chance.numpy),
            captions=captions,
            matches=matches,
            prompts=self.speaker.prompts(chance.numpy),
            kept=kept,
            name_patches=lambda _logits: named,
        )

    def _views(self, crops: bool, generator: np.random.Generator) -> tuple[Views, Tensor]:
        recipe = self.recipe
        size, batch = (recipe.crop, recipe.crop_batch) if crops else (SIDE, recipe.scene_batch)
        images, labels = self.corpus.rows(generator.integers(0, len(self.corpus), batch))
        centres = np.full((batch, 2), MIDDLE)
        if crops:
            centres = object_centres(labels, generator) + generator.integers(-12, 13, (batch, 2))
        flipped = generator.random(batch) < 0.5
        windows = place_windows(centres, np.ones(batch), flipped, size, SIDE)
        return cut_views(images, labels, windows, size), torch.from_numpy(labels).long()

    def _captions(
        self, visible: NDArray[np.bool_], generator: np.random.Generator
    ) -> tuple[list[str], Tensor]:
        written, mentioned = [], []
        for row in visible:
            things = [n for n, v in zip(CLASSES, row, strict=False) if v]
            stuff = [n for n, v in zip(STUFF, row[len(CLASSES) :], strict=True) if v]
            text, truth = self.speaker.caption(things, stuff, generator)
            written.append(text)
            mentioned.append(truth)
        false = np.stack(mentioned)[None] & ~visible[:, None]
        return written, torch.from_numpy(~false.any(-1)).float()


class SceneDinoLessons:
    """Two views around the same object; segments are the exact label maps, without their names."""

    def __init__(self, corpus: Corpus, recipe: DinoRecipe) -> None:
        self.corpus = corpus
        self.recipe = recipe

    def draw(self, step: int, chance: Chance) -> tuple[Sight, Sight]:
        """The student's and the teacher's sight."""
        recipe, generator = self.recipe, chance.numpy
        crops = step < recipe.crop_steps
        size, batch = (recipe.crop, recipe.crop_batch) if crops else (SIDE, recipe.scene_batch)
        images, labels = self.corpus.rows(generator.integers(0, len(self.corpus), batch))
        centres = object_centres(labels, generator)
        smallest, largest = (0.75, 1.3) if crops else (0.65, 1.0)

        def sight() -> Sight:
            shift = generator.uniform(-10, 10, (batch, 2))
            scales = generator.uniform(smallest, largest, batch)
            flipped = generator.random(batch) < 0.5
            windows = place_windows(centres + shift, scales, flipped, size, SIDE)
            views = cut_views(images, labels, windows, size)
            pixels = colour_jitter(views.pixels, recipe.jitter, chance.torch)
            return Sight(pixels, any_places(size, generator), name_patches(views))

        return sight(), sight()
