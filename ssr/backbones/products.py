"""Products of matrices by oneDNN, where torch's own leave half of a processor unused.

torch multiplies by MKL, which takes AVX-512 on processors of its maker alone (`MKL_VERBOSE=1` says
what it takes). oneDNN, by which torch convolves, takes it wherever it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import DispatchKeySet, Tensor
from torch.library import Library, get_kernel

# Multiplications. In a smaller product, what Python adds to the call is more than what it saves.
LEAST = 2**21
# A product with a vector, or nearly, waits for memory whoever computes it.
NARROWEST = 16
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
    library = Library("aten", "IMPL")
    for name, product in (("mm", _mm), ("addmm", _addmm), ("bmm", _bmm)):
        either = _either(product, get_kernel(f"aten::{name}", "CPU"))
        library.impl(name, either, "CPU", with_keyset=True)
    return library


def _either(product: Callable[..., Any], own: Any) -> Callable[..., Tensor]:
    """A product, or torch's own where that makes nothing."""

    def made(keys: DispatchKeySet, *matrices: Tensor, **scales: float) -> Tensor:
        found = product(*matrices, **scales)
        out: Tensor = own.call_boxed(keys, *matrices, **scales) if found is None else found
        return out

    return made


def _mm(left: Tensor, right: Tensor) -> Tensor | None:
    return _linear(left, right, None) if _is_large(left, right) else None


def _addmm(
    bias: Tensor, left: Tensor, right: Tensor, beta: float = 1, alpha: float = 1
) -> Tensor | None:
    is_bias = bias.shape == right.shape[1:] and bias.dtype == right.dtype and beta == alpha == 1
    return _linear(left, right, bias) if is_bias and _is_large(left, right) else None


def _bmm(left: Tensor, right: Tensor) -> Tensor | None:
    one = len(left) == len(right) == 1
    return _linear(left[0], right[0], None)[None] if one and _is_large(left[0], right[0]) else None


def _is_large(left: Tensor, right: Tensor) -> bool:
    return (
        left.dtype == right.dtype == torch.float32
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
