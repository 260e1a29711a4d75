"""Products by oneDNN, whichever processor this is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest
import torch
from torch import Tensor
from torch.nn.functional import linear

from ssr.backbones import devices, products

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN"
)

LAYOUTS: dict[str, Callable[[int, int], Tensor]] = {
    "rows": torch.randn,
    "columns": lambda height, width: torch.randn(width, height).T,
    "rows with gaps": lambda height, width: torch.randn(height, 3 * width)[:, width : 2 * width],
    "columns with gaps": lambda height, width: torch.randn(width, height + 5).T[2:-3],
    "every second": lambda height, width: torch.randn(height, 2 * width)[:, ::2],
    "one row": lambda height, width: torch.randn(1, width).expand(height, width),
    "one column": lambda height, width: torch.randn(height, 1).expand(height, width),
}


@pytest.fixture(autouse=True)
def _replaced_by_no_program() -> None:
    """A program that ran in this process may have replaced products, too."""
    devices._multiply_faster.cache_clear()


@pytest.fixture
def by_onednn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Tensor]]:
    """Products that oneDNN has made; it makes those of 3 rows, too."""
    made: list[Tensor] = []
    own = products._linear

    def counted(*matrices: Tensor) -> Tensor:
        made.append(own(*matrices))
        return made[-1]

    monkeypatch.setattr(products, "_linear", counted)
    monkeypatch.setattr(products, "LEAST", 1)
    monkeypatch.setattr(products, "NARROWEST", 3)
    library = products.replaced_products()
    yield made
    del library


@pytest.mark.parametrize(("left", "right"), [*product(LAYOUTS, LAYOUTS)])
def test_products_are_right_in_any_layout(left: str, right: str, by_onednn: list[Tensor]) -> None:
    first, second, bias = LAYOUTS[left](37, 129), LAYOUTS[right](129, 20), torch.randn(40)[::2]
    wanted = (first.double() @ second.double()).float()
    torch.testing.assert_close(first @ second, wanted, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(first[None] @ second[None], wanted[None], rtol=1e-5, atol=1e-4)
    added = torch.addmm(bias, first, second)
    torch.testing.assert_close(added, wanted + bias, rtol=1e-5, atol=1e-4)
    assert len(by_onednn) == 3


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_onednn_gets_has_no_gaps(layout: str) -> None:
    matrix = LAYOUTS[layout](30, 20)
    dense = products.dense(matrix)
    assert torch.equal(dense, matrix)
    assert dense.is_contiguous() or dense.mT.is_contiguous()


def test_gradients_are_right(by_onednn: list[Tensor]) -> None:
    tokens, weight, bias = torch.randn(2, 30, 48), torch.randn(64, 48), torch.randn(64)
    single = [each.requires_grad_() for each in (tokens, weight, bias)]
    double = [each.detach().double().requires_grad_() for each in single]
    for inputs in (single, double):
        linear(*inputs).square().sum().backward()
    for own, wanted in zip(single, double, strict=True):
        torch.testing.assert_close(own.grad, wanted.grad.float(), rtol=1e-5, atol=1e-2)
    assert len(by_onednn) == 3


def test_the_rest_is_torchs_own(by_onednn: list[Tensor]) -> None:
    matrix = torch.randn(8, 8)
    for other in (torch.float64, torch.bfloat16, torch.int32):
        assert (matrix.to(other) @ matrix.to(other)).dtype == other
    torch.addmm(matrix, matrix, matrix)
    torch.addmm(matrix[0], matrix, matrix, alpha=2)
    torch.addmm(matrix[0, :1], matrix, matrix)
    torch.stack([matrix, matrix]) @ torch.stack([matrix, matrix])
    matrix[:2] @ matrix
    matrix @ matrix[0]
    torch.empty(0, 8) @ matrix
    assert by_onednn == []
    with pytest.raises(RuntimeError, match=r"cannot be multiplied \(8x8 and 7x8\)"):
        matrix @ matrix[:7]
    with pytest.raises(RuntimeError, match="self must be a matrix"):
        torch.mm(matrix[0], matrix)
    with pytest.raises(RuntimeError, match="must be a 3D tensor"):
        torch.bmm(matrix, matrix)


def test_small_products_are_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_linear", None)
    library = products.replaced_products()
    torch.randn(127, 128) @ torch.randn(128, 128)
    torch.randn(15, 2000) @ torch.randn(2000, 2000)
    with pytest.raises(TypeError):
        torch.randn(128, 128) @ torch.randn(128, 128)
    del library


def test_products_are_torchs_own_again_when_nobody_holds_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(products, "_linear", None)
    library = products.replaced_products()
    del library
    torch.randn(128, 128) @ torch.randn(128, 128)


@pytest.mark.parametrize("first", [0, 1])
def test_they_may_be_replaced_twice_and_given_back_in_any_order(first: int) -> None:
    held = [products.replaced_products(), products.replaced_products()]
    large, small = torch.randn(200, 200), torch.randn(3, 3)
    wanted = large.double() @ large.double(), small.double() @ small.double()
    for place in (first, 0):
        del held[place]
        torch.testing.assert_close(large @ large, wanted[0].float(), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(small @ small, wanted[1].float())


@pytest.mark.parametrize(
    ("capability", "maker", "replaced"),
    [
        ("AVX512", "AuthenticAMD", True),
        ("AVX512", "GenuineIntel", False),
        ("AVX2", "AuthenticAMD", False),
        ("AVX512", None, False),
    ],
)
def test_products_are_replaced_where_mkl_leaves_avx_512_unused(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capability: str, maker: str | None, replaced: bool
) -> None:
    description = tmp_path / "cpuinfo"
    if maker:
        description.write_text(f"processor\t: 0\nvendor_id\t: {maker}\n")
    monkeypatch.setattr(products, "_DESCRIPTION", description)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert bool(products.faster_products()) == replaced
