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
    names that a patch may show and by where it is: objects tend to be central, backgrounds to reach
    the border. Patches that no name takes stay unknown.

    Args:
        logits: (B, k, P) of k patches against P names, objects first.
        present: (B, k, P) bool, which names each patch may show; backgrounds always.
        objects: how many of the P names are objects.
        centrality: (B, k), highest in the middle of the image.
        prior: weight of centrality beside the model's judgement, both in standard deviations.
        shares: of the patches, that all objects and all backgrounds take together.

    Returns:
        (B, k) int64 in 0..P-1, -1 unknown.
    """
    judged = logits.masked_fill(~present, -torch.inf).log_softmax(-1)
    towards = torch.where(torch.arange(logits.shape[-1]) < objects, prior, -prior)
    speaks = _standardise(judged, present)
    speaks = speaks + towards * _standardise(centrality[..., None], present.any(-1, keepdim=True))
    speaks = speaks.masked_fill(~present, -torch.inf)
    wanted = torch.cat(
        [
            share * _even(present[..., part]).sum(1)
            for part, share in zip((slice(0, objects), slice(objects, None)), shares, strict=True)
        ],
        1,
    )
    rank = speaks.argsort(1, descending=True).argsort(1)
    taken = present & (rank < wanted.ceil()[:, None])
    value, name = speaks.masked_fill(~taken, -torch.inf).max(-1)
    return name.masked_fill(value.isinf(), -1)


def pool_segments(values: Tensor, segments: Tensor) -> Tensor:
    """Values (B, k, P) of patches averaged over their segment (B, k), -1 alone: same shape."""
    member = F.one_hot(segments + 1, int(segments.max()) + 2)[..., 1:].float()
    means = member.mT @ values / member.sum(1).clamp(min=1)[..., None]
    return torch.where(segments[..., None] >= 0, member @ means, values)


def _even(present: Tensor) -> Tensor:
    """Each patch's one vote, shared out evenly among the names that it may show."""
    return present / present.sum(-1, keepdim=True).clamp(min=1)


def _standardise(values: Tensor, known: Tensor) -> Tensor:
    """Values (B, k, P) less their mean over the known patches, over their deviation."""
    count = known.sum(1, keepdim=True).clamp(min=1)
    values = values.masked_fill(~known, 0.0)
    centred = (values - values.sum(1, keepdim=True) / count).masked_fill(~known, 0.0)
    deviation = (centred.square().sum(1, keepdim=True) / count).sqrt()
    return centred / (deviation + 1e-6)
