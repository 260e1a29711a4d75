"""Class activation maps from stored CLIP tokens: softmax Grad-CAM and the direct patch-text map.

Both ask a `Score` how well patches fit the classes of an image and its possible backgrounds: CLIP's
own score, or one of the aligned space. Shapes: N patches, W token width, D joint image-text width,
K classes present, M = K + backgrounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from ssr.alignment.aligner import Aligner, unit
from ssr.backbones.last_block import LastBlock, patches_of_image
from ssr.backbones.text import TextEmbeddings
from ssr.cams.mean_patch import MeanPatch

if TYPE_CHECKING:
    from open_clip.model import CLIP

Score = Callable[[Tensor], Tensor]
"""Projected patch tokens (R, n, D) → logits (R, M): R pools of n patches, each judged by its mean.

The first K columns are the classes of the image, the others the backgrounds that rival them.
"""
Kind = Literal["gradient", "similarity"]
Gradient = Literal["cosine", "product"]
"""How a score is differentiated: as the cosine it is, or with the lengths of features constant.

The gradient of a cosine has no part along the mean patch. Where backgrounds fit that better than
the class does, as is common, leaving the part out raises the map of every patch that is like the
mean, so that background is taken for the class.
"""


def clip_score(texts: Tensor, scale: float, gradient: Gradient = "cosine") -> Score:
    """CLIP's logits: `scale` times the cosine of the mean patch and the unit `texts` (M, D)."""

    def score(tokens: Tensor) -> Tensor:
        return scale * unit(tokens.mean(1), gradient == "product") @ texts.T

    return score


def aligned_score(
    aligner: Aligner, texts: Tensor, scale: float, gradient: Gradient = "cosine"
) -> Score:
    """The same through what CMPA trained: the cosine of the aligned mean patch and text, (M, D).

    `scale` is CLIP's own, times what tau has changed by: an aligner that changes nothing gives
    CLIP's logits. At 1 / tau, which the losses have, they would flatten or sharpen the softmax.
    """
    aligned = aligner.text(texts)
    sharp = scale * aligner.sharpening

    def score(tokens: Tensor) -> Tensor:
        return sharp * aligner.image(tokens.mean(1), gradient == "product") @ aligned.T

    return score


def against(classes: Score, backgrounds: Score, count: int) -> Score:
    """The first `count` columns of `classes` against the other ones of `backgrounds`."""

    def score(tokens: Tensor) -> Tensor:
        return torch.cat([classes(tokens)[:, :count], backgrounds(tokens)[:, count:]], dim=-1)

    return score


class ImageScores:
    """Makes the score of an image: its classes against each other and against all backgrounds.

    Without an `aligner` CLIP judges. With it the aligned space does, or, where `background` is
    "clip", the classes alone, and CLIP how well the backgrounds fit.
    """

    def __init__(
        self,
        texts: TextEmbeddings,
        device: torch.device,
        aligner: Aligner | None = None,
        background: Literal["aligned", "clip"] = "aligned",
        gradient: Gradient = "cosine",
    ) -> None:
        self._classes = torch.from_numpy(texts.classes).to(device)
        self._backgrounds = torch.from_numpy(texts.backgrounds).to(device)
        self._scale = float(texts.logit_scale)
        self._aligner = aligner.to(device) if aligner else None
        self._background = background
        self._gradient = gradient

    def of(self, labels: Sequence[int]) -> Score:
        """The score of an image with these classes (1..C), in their order."""
        texts = torch.cat([self._classes[[label - 1 for label in labels]], self._backgrounds])
        by_clip = clip_score(texts, self._scale, self._gradient)
        if self._aligner is None:
            return by_clip
        aligned = aligned_score(self._aligner, texts, self._scale, self._gradient)
        if self._background == "clip":
            return against(aligned, by_clip, len(labels))
        return aligned

    def activate(
        self, kind: Kind, clip: CLIP | LastBlock, residual: Tensor, labels: Sequence[int]
    ) -> Tensor:
        """Raw maps (K, N) float32 of an image with these classes, in their order.

        They run through the last block of `clip`, or the one that CMPA trained.
        """
        block = self._aligner.through(clip) if self._aligner else clip
        return activate(kind, block, residual, self.of(labels), len(labels))


def activate(
    kind: Kind, clip: CLIP | LastBlock, residual: Tensor, score: Score, count: int
) -> Tensor:
    """Raw maps (K, N) float32, K = `count`, of one image by `gradient_cam` or `similarity_cam`."""
    method = {"gradient": gradient_cam, "similarity": similarity_cam}[kind]
    return method(clip, residual, score, count)


def gradient_cam(clip: CLIP | LastBlock, residual: Tensor, score: Score, count: int) -> Tensor:
    """Softmax Grad-CAM (CLIP-ES) of the first `count` columns of `score`, one forward for all.

    CAM_c = ReLU(Σ_k w_k A_k), where A = ln_1(X) is the input of CLIP's last attention and w_k the
    mean over patches of ∂p_c/∂A_k. The gradient taken is that of the log-odds log(p_c / (1 - p_c)),
    which differs from ∂p_c by the positive factor p_c (1 - p_c): the map is the same after min-max,
    but does not vanish where the softmax saturates. Without any rival, it is that of the logit.

    Args:
        clip: frozen, in evaluation mode.
        residual: X, the tokens (N+1, W) entering the last block, class token first.
        score: logits of the image's classes, then of their rivals.
        count: K, how many columns are classes.

    Returns:
        (K, N) float32, at least 0, not normalised; zero where nothing speaks for the class.
    """
    with torch.enable_grad(), torch.autocast(residual.device.type, enabled=False):
        patch = MeanPatch(clip, residual.detach().float())
        mean = patch.value.detach().requires_grad_()
        odds = _log_odds(score((mean @ clip.visual.proj)[None, None]), count)[0]
        gradients = [torch.autograd.grad(value, mean, retain_graph=True)[0] for value in odds]
        weights = patch.gradients(torch.stack(gradients))
        return (weights @ patch.activation.T).relu()


@torch.no_grad()
def similarity_cam(clip: CLIP | LastBlock, residual: Tensor, score: Score, count: int) -> Tensor:
    """The direct patch-text map: the softmax of `score` for each patch by itself.

    Arguments as for `gradient_cam`; the result (K, N) float32 holds probabilities.
    """
    patches = patches_of_image(clip, residual)
    with torch.autocast(residual.device.type, enabled=False):
        return score(patches[:, None]).softmax(-1)[:, :count].T.contiguous()


def _log_odds(logits: Tensor, count: int) -> Tensor:
    """log(p / (1 - p)) of the first `count` columns (R, K) of the softmax of `logits` (R, M)."""
    columns = logits.shape[1]
    if columns == 1:
        return logits
    own = torch.eye(count, columns, dtype=torch.bool, device=logits.device)
    rivals = logits[:, None].masked_fill(own, -torch.inf).logsumexp(-1)  # (R, K, M) → (R, K)
    return logits[:, :count] - rivals
