"""What a view shows, and strokes: a name with a few patches that show it."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ssr.demo.vocabulary import CLASSES
from ssr.pretraining.views import NAMES


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


def draw_strokes(
    names: Tensor, count: int, most: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Strokes over patches that show one name.

    names (B, n) int64 with -1 for mixed patches. Returns weights (B, count, n), each stroke's
    summing to 1 over 1..`most` patches, and targets (B, count), -1 where an image has no pure
    patch. Names are drawn uniformly among the visible ones: small objects speak as often as skies.
    """
    batch, patches = names.shape
    shown = F.one_hot(names + 1, len(NAMES) + 1)[..., 1:].sum(1) > 0
    empty = ~shown.any(1)
    chances = shown.float() + empty[:, None]
    targets = torch.multinomial(chances, count, replacement=True, generator=generator)
    allowed = names[:, None] == targets[..., None]
    order = torch.rand(batch, count, patches, generator=generator).masked_fill(~allowed, -1.0)
    value, index = order.topk(min(most, patches), dim=-1)
    wanted = torch.randint(1, most + 1, (batch, count, 1), generator=generator)
    taken = (torch.arange(value.shape[-1]) < wanted) & (value >= 0)
    weights = torch.zeros(batch, count, patches).scatter_(2, index, taken.float())
    weights = weights / weights.sum(-1, keepdim=True).clamp(min=1)
    return weights, targets.masked_fill(empty[:, None], -1)
