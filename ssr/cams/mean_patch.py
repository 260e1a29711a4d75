"""The mean patch behind CLIP's last block, and how it changes with the input of its attention.

Differentiated by hand where that saves products of matrices. Grad-CAM asks for no more than the
mean over patches of a gradient: those of queries, keys and values are never formed patch by patch,
and two of the four products through the MLP are one for all classes. Shapes: K classes, N patches,
L = N + 1 tokens, class token first, W token width, H heads of width d.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ssr.backbones.blocks import packed_heads
from ssr.backbones.last_block import LastBlock

if TYPE_CHECKING:
    from open_clip.model import CLIP


class MeanPatch:
    """Of one image the mean of its patches behind the last block and norm, not yet projected.

    One forward, kept for the gradients of any number of classes.
    """

    activation: Tensor
    """A = ln_1(X) of the patches, (N, W)."""
    value: Tensor
    """(W,)."""

    @torch.no_grad()
    def __init__(self, clip: CLIP | LastBlock, residual: Tensor) -> None:
        """Of X, the tokens (L, W) entering the block."""
        self._block: Any = clip.visual.transformer.resblocks[-1]
        self._last_norm = clip.visual.ln_post
        activation = self._block.ln_1(residual)
        self.activation = activation[1:]
        mixed = self._attend(packed_heads(self._block, activation[None])[:, 0])
        self._middle = residual[1:] + self._block.ls_1(self._block.attn.out_proj(mixed))
        leaving = self._middle + self._block.ls_2(self._through_mlp())
        self.value = self._last_norm(leaving).mean(0)
        own = (leaving.shape[-1:], None, None, self._last_norm.eps)
        self._unit, _, self._sharpness = torch.native_layer_norm(leaving, *own)

    def _attend(self, heads: Tensor) -> Tensor:
        """What patches get, (N, W), by queries, keys and values (3, H, L, d)."""
        queries, self._keys, self._values = heads
        self._queries = queries[:, 1:] * queries.shape[-1] ** -0.5
        self._attention = (self._queries @ self._keys.mT).softmax(-1)  # (H, N, L)
        self._mixed = self._attention @ self._values
        return self._mixed.transpose(0, 1).flatten(1)

    def _through_mlp(self) -> Tensor:
        mlp = self._block.mlp
        with torch.enable_grad():
            self._normed = self._block.ln_2(self._middle.requires_grad_())
            hidden = mlp.c_fc(self._normed).detach().requires_grad_()
            active = mlp.gelu(hidden)
            (self._slope,) = torch.autograd.grad(active.sum(), hidden)
        return mlp.c_proj(active.detach())

    @torch.no_grad()
    def gradients(self, of_value: Tensor) -> Tensor:
        """Means over patches (K, W) of the gradients at A, of what has the gradients (K, W) here.

        From A to queries, keys and values the map is linear, so the mean goes through it.
        """
        into_packed = torch.stack([self._sum_at_packed(each) for each in self._at_mixed(of_value)])
        weights: Tensor = into_packed @ self._block.attn.in_proj_weight / len(self.activation)
        return weights

    def _at_mixed(self, of_value: Tensor) -> Iterator[Tensor]:
        """Gradients (H, N, d) at what heads give to patches.

        A norm makes of a gradient g that all patches share sharpness * (g - (g @ unit) unit / W),
        with g less its mean. So two products with the matrix behind the MLP serve all classes.
        """
        count, width = self.activation.shape
        shared = of_value * self._last_norm.weight / count
        shared = shared - shared.mean(-1, keepdim=True)
        along = self._unit @ shared.T / width  # (N, K)
        out = _scaled(self._block.mlp.c_proj, self._block.ls_2)
        shared_out, unit_out = shared @ out, self._unit @ out
        back = _scaled(self._block.attn.out_proj, self._block.ls_1)
        for own, own_out, part in zip(shared, shared_out, along.T[..., None], strict=True):
            hidden = (own_out - part * unit_out).mul_(self._slope)
            at_norm = hidden @ self._block.mlp.c_fc.weight
            (middle,) = torch.autograd.grad(self._normed, self._middle, at_norm, retain_graph=True)
            middle = self._sharpness * (middle + own - part * self._unit)
            yield (middle @ back).unflatten(1, (len(self._keys), -1)).transpose(0, 1)

    def _sum_at_packed(self, at_mixed: Tensor) -> Tensor:
        """Sum over patches (3W,) of the gradients at queries, keys and values.

        With A the attention, g the gradient (H, N, d) at its result o, and S = A * (g V' - (g · o))
        that at what the softmax was taken of, whose rows add up to 0: over patches the values have
        the sum of (1 - A_0) g, where 0 is the class token, keys that of -S_0 times the queries, and
        queries the columns' sums of S times the keys.
        """
        given = (at_mixed * self._mixed).sum(-1, keepdim=True)  # g · o
        to_first = self._attention[..., :1]
        at_first = to_first * ((at_mixed * self._values[:, :1]).sum(-1, keepdim=True) - given)
        columns = self._attention.mT @ torch.cat([at_mixed, given], -1)  # (H, L, d + 1)
        columns = (columns[..., :-1] * self._values).sum(-1, keepdim=True) - columns[..., -1:]
        queries = (columns * self._keys).sum(1) * self._keys.shape[-1] ** -0.5
        keys = -(at_first * self._queries).sum(1)
        values = ((1 - to_first) * at_mixed).sum(1)
        return torch.cat([queries.flatten(), keys.flatten(), values.flatten()])


def _scaled(linear: Any, scale: Any) -> Tensor:
    """The matrix of a linear layer and the LayerScale behind it, if there is any."""
    gamma = getattr(scale, "gamma", None)
    weight: Tensor = linear.weight if gamma is None else linear.weight * gamma[:, None]
    return weight
