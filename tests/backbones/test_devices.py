"""Devices: a GPU that was given and can't be used is told of."""

import pytest
import torch

from ssr.backbones.devices import choose_device


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
