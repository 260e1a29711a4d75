"""Strokes: a name with a few patches that show it, as in Localized Narratives."""

import torch
import torch.nn.functional as F
from torch import Tensor


def draw_strokes(
    names: Tensor, kinds: int, count: int, most: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Strokes over patches that show one of `kinds` names.

    names (B, n) int64 with -1 for mixed patches. Returns weights (B, count, n), each stroke's
    summing to 1 over 1..`most` patches, and targets (B, count), -1 where an image has no pure
    patch. Names are drawn uniformly among the visible ones: small objects speak as often as skies.
    """
    batch, patches = names.shape
    shown = F.one_hot(names + 1, kinds + 1)[..., 1:].sum(1) > 0
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


def guess_names(
    logits: Tensor,
    present: Tensor,
    objects: int,
    centrality: Tensor,
    prior: float,
    shares: tuple[float, float] = (0.3, 0.4),
) -> Tensor:
    """What patches show where only image-level labels are known (multiple-instance learning).

    Each name takes the patches that speak most for it, judged by the model's own softmax over the
    names present and by where it is: objects tend to be central, backgrounds to reach the border.
    Patches that no name takes stay unknown.

    Args:
        logits: (B, k, P) of k patches against P names, objects first.
        present: (B, P) bool, which names an image may show; backgrounds always.
        objects: how many of the P names are objects.
        centrality: (B, k), highest in the middle of the image.
        prior: weight of centrality beside the model's judgement, both in standard deviations.
        shares: of the patches, that all objects and all backgrounds take together.

    Returns:
        (B, k) int64 in 0..P-1, -1 unknown.
    """
    absent = ~present[:, None]
    judged = logits.masked_fill(absent, -torch.inf).log_softmax(-1).masked_fill(absent, 0.0)
    towards = torch.where(torch.arange(logits.shape[-1]) < objects, prior, -prior)
    speaks = _standardise(judged) + towards * _standardise(centrality[..., None])
    wanted = torch.cat(
        [
            share * part / part.sum(1, keepdim=True).clamp(min=1)
            for part, share in zip(present.tensor_split([objects], 1), shares, strict=True)
        ],
        1,
    )
    rank = speaks.argsort(1, descending=True).argsort(1)
    taken = rank < (logits.shape[1] * wanted).ceil()[:, None]
    value, name = speaks.masked_fill(~taken, -torch.inf).max(-1)
    return name.masked_fill(value.isinf(), -1)


def _standardise(values: Tensor) -> Tensor:
    """Values (B, k, P) less their mean over the k patches, over their deviation."""
    centred = values - values.mean(1, keepdim=True)
    return centred / (values.std(1, keepdim=True) + 1e-6)
