"""Devices: a GPU that was given and can't be used is told of; float32 is float32 there."""

from functools import cache

import pytest
import torch

from ssr.backbones import devices
from ssr.backbones.devices import choose_device
from ssr.errors import InputError


def test_a_gpu_that_cannot_be_used_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert choose_device("auto").type == "cpu"
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert choose_device("auto").type == "cpu"
    assert "GPU 0 was given to this job, but torch finds no CUDA device" in capsys.readouterr().err


def test_float32_is_not_tf32() -> None:
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    choose_device("cpu")
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_a_processor_multiplies_faster_as_long_as_the_process_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replaced = []

    def replace() -> str:
        replaced.append("products")
        return replaced[-1]

    monkeypatch.setattr(devices, "_multiply_faster", cache(replace))
    for _ in range(2):
        assert choose_device("cpu").type == "cpu"
    assert replaced == ["products"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    devices._multiply_faster.cache_clear()
    assert choose_device("auto").type == "cuda"
    assert replaced == ["products"]


@pytest.mark.parametrize("name", ["tpu", "cuda:0"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"device: allowed are auto, cpu, cuda; came {name}"):
        choose_device(name)
