"""Lessons from photographs with image-level labels; nothing says where anything is.

A caption names labels of the whole image, whatever part of it a view shows. What patches show is
guessed from the model's own judgement and from where they are, DINO's segments are superpixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssr.pretraining.captions import Speaker
from ssr.pretraining.lessons import Chance, ClipLesson, Sight
from ssr.pretraining.photographs import MOST_SEGMENTS, Photographs
from ssr.pretraining.positions import window_places
from ssr.pretraining.recipes import ViewRecipe
from ssr.pretraining.strokes import guess_names, pool_segments
from ssr.pretraining.views import (
    Floats,
    Windows,
    colour_jitter,
    cut_views,
    patch_names,
    patch_shares,
    place_windows,
)


def draw_windows(
    sizes: Floats, side: int, recipe: ViewRecipe, generator: np.random.Generator
) -> Windows:
    """Windows that are square in the true proportions `sizes` (B, 2), anywhere in the image."""
    batch = len(sizes)
    share = generator.uniform(recipe.smallest, 1.0, (batch, 1)) * sizes.min(1, keepdims=True)
    window = share / sizes * side
    centres = generator.uniform(window / 2, side - window / 2)
    scales = window / recipe.size
    return place_windows(centres, scales, generator.random(batch) < 0.5, recipe.size, side)


def told_places(places: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Places of whole views shifted at random."""
    return places + noise * torch.randn(len(places), 1, 2, generator=generator)


def centrality(places: Tensor) -> Tensor:
    """How far patches are from the border, (B, n): 0 there, 1 in the middle of the image."""
    return 1 - (2 * places - 1).abs().amax(-1)


def balanced_chances(labels: NDArray[np.bool_]) -> Floats:
    """Chance of each image, (N,): rare classes come as often as frequent ones, within reason.

    Proportional to the mean over an image's labels of 1 / sqrt(images with that label).
    """
    weights = 1 / np.sqrt(labels.sum(0).clip(min=1))
    chances = (labels * weights).sum(1) / labels.sum(1).clip(min=1)
    chances[~labels.any(1)] = 0
    return chances / chances.sum()


@dataclass(frozen=True)
class Shown:
    """Views of photographs and what is known of their n patches, before any collage and after.

    pixels (B, 3, s, s); places (B, n, 2); segments (B, n) int64, -1 mixed; present (B, n, C) bool,
    the labels of the image that each patch is from.
    """

    pixels: Tensor
    places: Tensor
    segments: Tensor
    present: Tensor

    def beside(self, other: Self, second: Tensor) -> Self:
        """A collage: where `second` (B, g, g) patches is true, the `other` views."""
        flat, patch = second.flatten(1), self.pixels.shape[-1] // second.shape[-1]
        fine = second.repeat_interleave(patch, 1).repeat_interleave(patch, 2)[:, None]
        # Segments of the two images must not count as one.
        apart = torch.where(other.segments >= 0, other.segments + MOST_SEGMENTS, -1)
        return type(self)(
            pixels=torch.where(fine, other.pixels, self.pixels),
            places=torch.where(flat[..., None], other.places, self.places),
            segments=torch.where(flat, apart, self.segments),
            present=torch.where(flat[..., None], other.present, self.present),
        )

    def rolled(self) -> Self:
        """The same views in another order."""
        return type(self)(
            *(part.roll(1, 0) for part in (self.pixels, self.places, self.segments, self.present))
        )


def show(
    source: Photographs, rows: NDArray[np.int64], windows: Windows, recipe: ViewRecipe
) -> Shown:
    """The windows of some photographs as views."""
    views = cut_views(source.images[rows], source.segments[rows], windows, recipe.size)
    grid = recipe.size // recipe.patch
    labels = torch.from_numpy(source.labels[rows])
    return Shown(
        pixels=views.pixels,
        places=window_places(windows, source.side, grid),
        segments=patch_names(patch_shares(views.labels, source.segment_count + 1, recipe.patch)),
        present=labels[:, None].expand(-1, grid * grid, -1),
    )


def draw_parts(batch: int, grid: int, share: float, generator: np.random.Generator) -> Tensor:
    """Which patches of views the second image of a collage takes, (batch, grid, grid) bool.

    A `share` of the views is cut, across or down, somewhere in its middle half.
    """
    start = generator.integers(grid // 4, grid - grid // 4 + 1, (batch, 1, 1))
    start[generator.random(batch) >= share] = grid
    line = np.arange(grid)
    down = generator.random((batch, 1, 1)) < 0.5
    return torch.from_numpy(np.where(down, line[:, None] >= start, line[None] >= start))


class PhotographClipLessons:
    """Views anywhere in the image, captioned by its labels; half of them beside another image's."""

    def __init__(
        self,
        photographs: Photographs,
        recipe: ViewRecipe,
        speaker: Speaker,
        kept: float,
        centre_prior: float,
    ) -> None:
        """`kept` is the share of patches seen; `speaker.things` are the classes in their order."""
        self.photographs = photographs
        self.recipe = recipe
        self.speaker = speaker
        self.kept = max(1, round(kept * (recipe.size // recipe.patch) ** 2))
        self.centre_prior = centre_prior
        self.chances = balanced_chances(photographs.labels)

    @property
    def sentences(self) -> Sequence[str]:
        """Texts that hold every token."""
        return self.speaker.sentences

    def draw(self, step: int, chance: Chance) -> ClipLesson:
        """The lesson of a step."""
        source, recipe = self.photographs, self.recipe
        rows = chance.numpy.choice(len(source), recipe.batch, p=self.chances)
        windows = draw_windows(source.sizes[rows], source.side, recipe, chance.numpy)
        whole = show(source, rows, windows, recipe)
        grid = recipe.size // recipe.patch
        parts = draw_parts(recipe.batch, grid, recipe.collages, chance.numpy)
        shown = whole.beside(whole.rolled(), parts)
        kept = torch.rand(parts.flatten(1).shape, generator=chance.torch).argsort(1)
        kept = kept[:, : self.kept]
        captions, matches = self._captions(shown.present.any(1).numpy(), chance.numpy)
        return ClipLesson(
            pixels=colour_jitter(shown.pixels, recipe.jitter, chance.torch),
            places=told_places(shown.places, recipe.position_noise, chance.torch),
            captions=captions,
            matches=matches,
            prompts=self.speaker.prompts(chance.numpy),
            kept=kept,
            name_patches=partial(self._guess, shown, kept),
        )

    def _guess(self, shown: Shown, kept: Tensor, logits: Tensor) -> Tensor:
        """The name of each kept patch, judged by whole segments."""
        classes = shown.present.gather(1, kept[..., None].expand(-1, -1, shown.present.shape[-1]))
        backgrounds = torch.ones(*kept.shape, len(self.speaker.stuff), dtype=torch.bool)
        return guess_names(
            pool_segments(logits, shown.segments.gather(1, kept)),
            present=torch.cat([classes, backgrounds], -1),
            objects=len(self.speaker.things),
            centrality=centrality(shown.places).gather(1, kept),
            prior=self.centre_prior,
        )

    def _captions(
        self, labels: NDArray[np.bool_], generator: np.random.Generator
    ) -> tuple[list[str], Tensor]:
        things = self.speaker.things
        written, mentioned = [], []
        for row in labels:
            names = [name for name, present in zip(things, row, strict=True) if present]
            text, truth = self.speaker.caption(names, (), generator)
            written.append(text)
            mentioned.append(truth[: len(things)])
        false = np.stack(mentioned)[None] & ~labels[:, None]
        return written, torch.from_numpy(~false.any(-1)).float()


class PhotographDinoLessons:
    """Two views around the same point; segments are superpixels."""

    def __init__(self, photographs: Photographs, recipe: ViewRecipe) -> None:
        self.photographs = photographs
        self.recipe = recipe

    def draw(self, step: int, chance: Chance) -> tuple[Sight, Sight]:
        """The student's and the teacher's sight."""
        source, recipe = self.photographs, self.recipe
        rows = chance.numpy.choice(len(source), recipe.batch)
        centres = chance.numpy.uniform(0.2, 0.8, (recipe.batch, 2)) * source.side

        def sight() -> Sight:
            drawn = draw_windows(source.sizes[rows], source.side, recipe, chance.numpy)
            shift = chance.numpy.uniform(-0.1, 0.1, (recipe.batch, 2)) * source.side
            scales = drawn.side / recipe.size
            windows = place_windows(
                centres + shift, scales, drawn.flipped, recipe.size, source.side
            )
            shown = show(source, rows, windows, recipe)
            return Sight(
                pixels=colour_jitter(shown.pixels, recipe.jitter, chance.torch),
                places=told_places(shown.places, recipe.position_noise, chance.torch),
                names=shown.segments,
            )

        return sight(), sight()
