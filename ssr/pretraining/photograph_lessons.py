"""Lessons from photographs with image-level labels; nothing says where anything is.

A caption names labels of the whole image, whatever part of it a view shows. What patches show is
guessed from the model's own judgement and from where they are, DINO's segments are superpixels.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssr.pretraining.captions import Speaker
from ssr.pretraining.lessons import Chance, ClipLesson, Sight
from ssr.pretraining.photographs import Photographs
from ssr.pretraining.positions import window_places
from ssr.pretraining.recipes import ViewRecipe
from ssr.pretraining.strokes import guess_names
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


class PhotographClipLessons:
    """Views anywhere in the image, captioned by its labels."""

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
        self.kept = max(1, round(kept * recipe.grid**2))
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
        views = cut_views(source.images[rows], source.segments[rows], windows, recipe.size)
        places = window_places(windows, source.side, recipe.grid)
        kept = torch.rand(places.shape[:2], generator=chance.torch).argsort(1)[:, : self.kept]
        captions, matches = self._captions(source.labels[rows], chance.numpy)
        present = torch.ones(recipe.batch, len(self.speaker.names), dtype=torch.bool)
        present[:, : len(self.speaker.things)] = torch.from_numpy(source.labels[rows])
        return ClipLesson(
            pixels=colour_jitter(views.pixels, recipe.jitter, chance.torch),
            places=told_places(places, recipe.position_noise, chance.torch),
            captions=captions,
            matches=matches,
            prompts=self.speaker.prompts(chance.numpy),
            kept=kept,
            name_patches=partial(
                guess_names,
                present=present,
                objects=len(self.speaker.things),
                centrality=centrality(places).gather(1, kept),
                prior=self.centre_prior,
            ),
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
            views = cut_views(source.images[rows], source.segments[rows], windows, recipe.size)
            shares = patch_shares(views.labels, source.segment_count + 1, recipe.patch)
            places = window_places(windows, source.side, recipe.grid)
            return Sight(
                pixels=colour_jitter(views.pixels, recipe.jitter, chance.torch),
                places=told_places(places, recipe.position_noise, chance.torch),
                names=patch_names(shares),
            )

        return sight(), sight()
