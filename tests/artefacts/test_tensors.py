"""Tensors in sealed safetensors files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ssr.artefacts.tensors import METADATA, write_tensors
from ssr.backbones.weights import read_weights
from ssr.errors import InputError
from tests.damage import flipped_bits

TENSORS = {"a": torch.linspace(0, 1, 12).reshape(3, 4), "half": torch.ones(2).half()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_tensors(tmp_path / "file.safetensors", TENSORS, {"iterations": 3})
    return tmp_path / "file.safetensors"


def test_tensors_and_metadata_come_back(file: Path) -> None:
    read = read_weights(file)
    assert read.keys() == TENSORS.keys()
    assert all(torch.equal(read[name], TENSORS[name]) for name in TENSORS)
    with safe_open(file, "pt") as opened:
        assert json.loads(opened.metadata()[METADATA])["iterations"] == 3


def test_equal_content_gives_equal_bytes(file: Path) -> None:
    again = file.with_name("again.safetensors")
    write_tensors(
        again, {"a": TENSORS["a"].T.contiguous().T, "half": TENSORS["half"]}, {"iterations": 3}
    )
    assert again.read_bytes() == file.read_bytes()


def test_others_may_read_the_file(file: Path) -> None:
    plain = file.with_name("plain.txt")
    plain.touch()
    assert file.stat().st_mode == plain.stat().st_mode


def test_no_flipped_bit_changes_what_is_read(file: Path) -> None:
    refused = 0
    for _ in flipped_bits(file):
        try:
            read = read_weights(file)
        except InputError:
            refused += 1
        else:  # the name of the seal is hit: everything else is as it was
            assert all(torch.equal(read[name], TENSORS[name]) for name in TENSORS)
    assert refused > 250


def test_files_of_others_load_without_a_seal(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "theirs.safetensors")
    assert torch.equal(read_weights(tmp_path / "theirs.safetensors")["a"], TENSORS["a"])
