"""Anonymous segments: which patches of two views belong together, and the losses that say so."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.no_grad()
def balanced_assignment(logits: Tensor, temperature: float, rounds: int = 3) -> Tensor:
    """Sinkhorn-Knopp: soft assignment (n, K) with rows summing to 1 and prototypes used evenly."""
    shares = ((logits - logits.max()) / temperature).exp()
    for _ in range(rounds):
        shares = shares / (shares.sum(0, keepdim=True) + 1e-9)
        shares = shares / (shares.sum(1, keepdim=True) + 1e-9)
    return shares


@dataclass(frozen=True)
class SegmentPairs:
    """Segments seen by the teacher, and the student's patches that belong to one of them.

    pooling (m, n) weights over the teacher's patches of image `owner` (m,); student patches are
    flat indices `patches` (p,) into B * n with their segment `segment` (p,) in 0..m-1 and weight
    (p,), summing to 1, every segment alike.
    """

    pooling: Tensor
    owner: Tensor
    patches: Tensor
    segment: Tensor
    weight: Tensor


def pair_segments(student: Tensor, teacher: Tensor, least: int = 2) -> SegmentPairs:
    """Match segments across views by (image, anonymous label): (B, n) int64, -1 unusable."""
    labels = int(max(student.max(), teacher.max())) + 1
    pools = F.one_hot(teacher + 1, labels + 1)[..., 1:].float().transpose(1, 2)
    seen = F.one_hot(student + 1, labels + 1)[..., 1:].sum(1) > 0
    usable = (pools.sum(-1) >= least) & seen
    owner, label = usable.nonzero(as_tuple=True)
    numbers = torch.full_like(usable, -1, dtype=torch.long)
    numbers[owner, label] = torch.arange(len(owner), device=owner.device)
    own = numbers.gather(1, student.clamp(min=0)).masked_fill(student < 0, -1).flatten()
    patches = (own >= 0).nonzero()[:, 0]
    segment = own[patches]
    counts = torch.bincount(segment, minlength=len(owner)).float()
    pooling = pools[owner, label]
    pooling = pooling / pooling.sum(-1, keepdim=True)
    return SegmentPairs(pooling, owner, patches, segment, 1 / counts[segment] / len(owner))


def cross_entropy(target: Tensor, logits: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of every row's prediction against its soft assignment, (n,)."""
    return -(target * (logits / temperature).log_softmax(-1)).sum(-1)


def grouping_loss(attention: Tensor, names: Tensor) -> Tensor:
    """Cross-entropy of each patch's attention against "evenly over my own segment".

    attention (B, n, n), names (B, n) anonymous labels, -1 left out. Every segment counts alike.
    Even targets keep columns from running hot, which Sinkhorn would flatten together with the rest.
    """
    known = names >= 0
    same = (names[:, :, None] == names[:, None]) & known[:, :, None]
    sizes = same.sum(-1).clamp(min=1)
    share = (attention.clamp(min=1e-8).log() * same).sum(-1) / sizes
    weight = known / sizes
    return -(share * weight).sum() / weight.sum()
