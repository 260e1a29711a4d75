"""Weights: what is read, what is refused, and how an error names what is wrong."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ssr.backbones.weights import expand_embedding, fit, read_weights
from ssr.errors import InputError


@pytest.fixture
def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))


def changed(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: torch.full_like(value, 0.5) for name, value in model.state_dict().items()}


def assert_all_halves(model: nn.Module) -> None:
    assert all((value == 0.5).all() for value in model.state_dict().values())


def test_reads_safetensors(tmp_path: Path, model: nn.Module) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({name: value.half() for name, value in changed(model).items()}, path)
    fit(model, read_weights(path), path)
    assert_all_halves(model)
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}


@pytest.mark.parametrize("layout", ["plain", "state_dict", "model", "module."])
def test_reads_state_dicts_as_training_leaves_them(
    tmp_path: Path, model: nn.Module, layout: str
) -> None:
    content: object = changed(model)
    if layout == "module.":
        content = {f"module.{name}": value for name, value in changed(model).items()}
    if layout != "plain":
        content = {"epoch": 3, "model" if layout == "model" else "state_dict": content}
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    fit(model, read_weights(path), path)
    assert_all_halves(model)


def test_missing_file_says_where_it_looked_and_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file .*gone\.pt.*looked in .*allowed: random, train"):
        read_weights(tmp_path / "gone.pt")


def test_refuses_another_sha256(tmp_path: Path, model: nn.Module) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(changed(model), path)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_weights(path, right).keys() == model.state_dict().keys()
    with pytest.raises(InputError, match=f"should be {'0' * 64}, is {right}"):
        read_weights(path, "0" * 64)


def test_reads_a_state_dict_of_before_torch_1_6(tmp_path: Path, model: nn.Module) -> None:
    path = tmp_path / "weights.pth"
    torch.save(changed(model), path, _use_new_zipfile_serialization=False)
    fit(model, read_weights(path), path)
    assert_all_halves(model)


def test_a_model_without_storage_is_only_compared(model: nn.Module) -> None:
    weights = changed(model)
    fit(model.to("meta"), weights, "some.pt")
    with pytest.raises(InputError, match="unexpected: more 1"):
        fit(model, weights | {"more": torch.zeros(1)}, "some.pt")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_refuses_a_file_that_is_cut_short(tmp_path: Path, model: nn.Module, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    save_file(changed(model), path) if suffix == ".safetensors" else torch.save(
        changed(model), path
    )
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=f"{path.name}: not a complete"):
        read_weights(path)


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("never"),))


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, Malicious()])
def test_refuses_what_is_no_state_dict(tmp_path: Path, content: object) -> None:
    path = tmp_path / "weights.pt"
    torch.save(content, path)
    with pytest.raises(InputError, match=r"weights\.pt: not a complete"):
        read_weights(path)


def test_misfit_names_missing_unexpected_and_misshapen_tensors(model: nn.Module) -> None:
    weights = changed(model)
    weights["2.bias"] = weights.pop("1.bias")
    weights["0.weight"] = torch.zeros(2, 4)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError) as caught:
        fit(model, weights, "some.pt")
    assert str(caught.value) == (
        "weights some.pt don't fit the model: missing: 1.bias 2; unexpected: 2.bias 2; "
        "other shape: 0.weight wanted 2x3 came 2x4"
    )
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_long_misfit_is_cut_to_its_first_tensors(model: nn.Module) -> None:
    with pytest.raises(
        InputError, match=r"missing: 0\.weight 2x3, 0\.bias 2, 1\.weight 2 and 1 more$"
    ):
        fit(model, {}, "some.pt")


def test_compact_embedding_is_expanded_with_zeros() -> None:
    weights = {
        "token_embedding.weight": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        "token_embedding.ids": torch.tensor([4, 1]),
    }
    full = expand_embedding(weights, 6)
    assert list(full) == ["token_embedding.weight"]
    expected = [[0, 0], [3, 4], [0, 0], [0, 0], [1, 2], [0, 0]]
    assert full["token_embedding.weight"].tolist() == expected


def test_full_embedding_stays() -> None:
    weights = {"token_embedding.weight": torch.ones(6, 2)}
    assert expand_embedding(weights, 6) == weights


@pytest.mark.parametrize("ids", [[0], [0, 6]])
def test_compact_embedding_must_be_consistent(ids: list[int]) -> None:
    weights = {
        "token_embedding.weight": torch.ones(2, 2),
        "token_embedding.ids": torch.tensor(ids),
    }
    with pytest.raises(InputError, match="token_embedding: 2 rows"):
        expand_embedding(weights, 6)
