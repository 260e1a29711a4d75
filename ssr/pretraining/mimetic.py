"""Mimetic initialisation of self-attention (Trockman and Kolter, 2023).

Trained vision transformers have W_q^T W_k near the identity. Starting there makes attention an
affinity from the first step: without it, small models never get one that survives Sinkhorn
normalisation.
"""

import torch
from torch import Tensor

from ssr.config import Backbone


def fresh(model: str) -> Backbone:
    """The settings of an untrained model: a name of its library, or a JSON file."""
    return Backbone(model=model, weights="random", sha256=None)


@torch.no_grad()
def initialise_attention(
    qkv: Tensor, projection: Tensor, heads: int, generator: torch.Generator, value_sign: float
) -> None:
    """Fill qkv (3d, d) and projection (d, d) in place.

    `value_sign` -1 is the paper's choice (W_proj W_v near minus identity). Grad-CAM reads the class
    evidence that flows through the last block's values, so there +1 is the better start.
    """
    width = projection.shape[0]
    head_width = width // heads
    identity = torch.eye(width)

    def noise() -> Tensor:
        return torch.randn(width, width, generator=generator) / width**0.5

    for head in range(heads):
        left, values, right = torch.linalg.svd(0.7 * noise() + 0.7 * identity)
        rows = slice(head * head_width, (head + 1) * head_width)
        qkv[:width][rows] = (left * values.sqrt())[:, :head_width].T
        qkv[width : 2 * width][rows] = (right.T * values.sqrt())[:, :head_width].T
    left, values, right = torch.linalg.svd(0.4 * noise() + value_sign * 0.4 * identity)
    qkv[2 * width :] = (right.T * values.sqrt()).T
    projection.copy_(left * values.sqrt())
