"""Products of matrices by oneDNN, where torch's own leave half of a processor unused.

torch multiplies by MKL, which takes AVX-512 on processors of its maker alone (`MKL_VERBOSE=1` says
what it takes). oneDNN, by which torch convolves, takes it wherever it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.library import Library

# Multiplications. In a smaller product, what Python adds to the call is more than what it saves.
LEAST = 2**21
# Where a side is narrower, products wait for memory, and some layouts take oneDNN longer.
NARROWEST = 32
# For so many shapes of products oneDNN, and torch on top of it, keep what they have prepared. By
# default it is 1,024 each, of a megabyte apiece.
_SHAPES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "48", "LRU_CACHE_CAPACITY": "48"}
_DESCRIPTION = Path("/proc/cpuinfo")
_OTHER_MAKER = "AuthenticAMD"


def faster_products() -> Library | None:
    """`replaced_products` on processors that gain by it, otherwise None."""
    has_avx512 = torch.backends.cpu.get_cpu_capability() == "AVX512"
    if not (has_avx512 and torch.backends.mkldnn.is_available() and _DESCRIPTION.is_file()):
        return None
    return replaced_products() if _OTHER_MAKER in _DESCRIPTION.read_text() else None


def replaced_products() -> Library:
    """Products of this process by oneDNN, as long as what is returned lives.

    That is those of float32 on the processor, in gradients too. They differ by rounding.
    """
    for name, number in _SHAPES.items():
        os.environ.setdefault(name, number)
    library = Library("aten", "IMPL")
    for name, product in (("mm", _mm), ("addmm", _addmm), ("bmm", _bmm)):
        library.impl(name, _either(product, getattr(torch.ops.aten, name).out), "CPU")
    return library


def _either(product: Callable[..., Any], own: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A product, or torch's own where that makes nothing; its variant with `out` stays as it was.

    Both let other threads of Python run meanwhile.
    """

    def made(*matrices: Tensor, **scales: float) -> Tensor:
        found: Tensor | None = product(*matrices, **scales)
        return own(*matrices, **scales, out=matrices[0].new_empty(0)) if found is None else found

    return made


def _mm(left: Tensor, right: Tensor) -> Tensor | None:
    return _linear(left, right, None) if _is_large(left, right) else None


def _addmm(
    bias: Tensor, left: Tensor, right: Tensor, beta: float = 1, alpha: float = 1
) -> Tensor | None:
    is_bias = bias.shape == right.shape[1:] and bias.dtype == right.dtype and beta == alpha == 1
    return _linear(left, right, bias) if is_bias and _is_large(left, right) else None


def _bmm(left: Tensor, right: Tensor) -> Tensor | None:
    if left.shape[:1] == right.shape[:1] == (1,) and _is_large(left[0], right[0]):
        return _linear(left[0], right[0], None)[None]
    return None


def _is_large(left: Tensor, right: Tensor) -> bool:
    return (
        left.ndim == right.ndim == 2
        and left.dtype == right.dtype == torch.float32
        and left.shape[1] == right.shape[0]
        and min(len(left), *right.shape) >= NARROWEST
        and len(left) * right.numel() >= LEAST
    )


def _linear(left: Tensor, right: Tensor, bias: Tensor | None) -> Tensor:
    # Of a bias with gaps oneDNN reads the numbers between, too.
    parts = dense(left), dense(right).mT, None if bias is None else bias.contiguous()
    out: Tensor = torch.ops.mkldnn._linear_pointwise(*parts, "none", [], "")
    return out


def dense(matrix: Tensor) -> Tensor:
    """Row by row or column by column without a gap: where there is one, oneDNN takes minutes."""
    return matrix if matrix.mT.is_contiguous() else matrix.contiguous()
