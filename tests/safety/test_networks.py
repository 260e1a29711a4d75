"""Weights, models and checkpoints from someone one can't trust."""

import io
import json
import pickle
import struct
import tarfile
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

import ssr.backbones.networks
from ssr.alignment.trained import load_aligner
from ssr.artefacts.arrays import load_arrays
from ssr.backbones.networks import load_clip
from ssr.backbones.pretrained import Pretrained
from ssr.backbones.weights import read_weights
from ssr.config.architectures import dino_config
from ssr.data.images import CLIP_MEAN, CLIP_STD
from ssr.errors import InputError
from ssr.running import checkpoints
from tests.backbone_models import tiny_clip, tiny_dino
from tests.malice import Payload


class Program(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels


def torchscript_with(path, payload):
    """A sound TorchScript archive whose pickle of modules is replaced."""
    torch.jit.save(torch.jit.script(Program()), path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            evil = pickle.dumps(payload, protocol=2)
            archive.writestr(name, evil if name.endswith("/data.pkl") else content)


def tar_with(path, payload):
    """The format of torch before 0.1.10, which is unpacked into a folder when it is read."""
    with tarfile.open(path, "w") as archive:
        for name in ("storages", "tensors", "pickle", "sys_info"):
            content = pickle.dumps(payload)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


ATTACKS = {
    "checkpoint": lambda path, payload: torch.save({"state_dict": {"x": payload}}, path),
    "old checkpoint": lambda path, payload: torch.save(
        {"x": payload}, path, _use_new_zipfile_serialization=False
    ),
    "bare pickle": lambda path, payload: path.write_bytes(pickle.dumps(payload)),
    "tar": tar_with,
    "TorchScript": torchscript_with,
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", ["weights.pt", "weights.bin", "weights.safetensors"])
def test_no_file_of_weights_runs_code(tmp_path, trace, attack, name):
    ATTACKS[attack](tmp_path / name, Payload(trace))
    with pytest.raises(InputError, match=f"{name}: not a complete"):
        read_weights(tmp_path / name)
    assert not trace.exists()


def test_no_file_in_the_cache_of_a_hub_runs_code(tmp_path, trace, monkeypatch):
    """Tags are mere names of files here: the libraries' own loaders are never called."""
    path = tmp_path / "open_clip_pytorch_model.bin"
    torch.save({"state_dict": Payload(trace)}, path)
    tag = Pretrained("a tag", "some/repository", (path.name,), CLIP_MEAN, CLIP_STD)
    monkeypatch.setattr(ssr.backbones.networks, "clip_tag", lambda *_: tag)
    monkeypatch.setattr(ssr.backbones.networks, "cached", lambda _: path)
    settings = tiny_clip(tmp_path).model_copy(update={"weights": "some_tag"})
    with pytest.raises(InputError, match=r"model\.bin: not a complete"):
        load_clip(settings, "cpu")
    assert not trace.exists()


def test_a_compressed_file_of_weights_gets_no_memory(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({"x": torch.zeros(1_000_000)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    assert path.stat().st_size < 10_000
    with pytest.raises(InputError, match=r"weights\.pt: .*is compressed"):
        read_weights(path)


@pytest.mark.parametrize("header", [b"\xff" * 8, struct.pack("<Q", 10**8), struct.pack("<Q", 2)])
def test_a_safetensors_file_that_lies_about_its_size_is_refused(tmp_path, header):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(header + b"{" * 100)
    with pytest.raises(InputError, match=r"weights\.safetensors: not a complete"):
        read_weights(path)


@pytest.mark.parametrize("option", ["checkpoint_path", "pretrained", "pretrained_cfg", "cache_dir"])
def test_a_model_file_names_no_weights_beside_those_of_the_settings(tmp_path, trace, option):
    torch.save(Payload(trace), tmp_path / "evil.pth")
    settings = tiny_dino(tmp_path, **{option: str(tmp_path / "evil.pth")})
    with pytest.raises(InputError, match=f"model_args are options of an architecture.*{option}"):
        dino_config(settings.model)
    assert not trace.exists()


@pytest.mark.parametrize("content", ['{"architecture": "x", "model_args": []}', "[" * 100_000])
def test_a_model_file_of_another_form_is_refused(tmp_path, content):
    (tmp_path / "dino.json").write_text(content.replace('"x"', '"vit_small_patch16_224"'))
    with pytest.raises(InputError, match=r"dino\.json"):
        dino_config(str(tmp_path / "dino.json"))


def test_a_checkpoint_that_would_run_code_is_passed_over(tmp_path, trace, capsys):
    checkpoints.save(tmp_path, 1, {"iteration": 1})
    torch.save({"iteration": Payload(trace)}, tmp_path / "iteration_00000002.pt")
    assert checkpoints.newest(tmp_path) == {"iteration": 1}
    assert "iteration_00000002.pt can't be read" in capsys.readouterr().err
    assert not trace.exists()


def test_heads_that_are_a_pickle_are_refused(tmp_path, trace):
    torch.save(Payload(trace), tmp_path / "heads.safetensors")
    with pytest.raises(InputError, match="expected what align_prototypes writes"):
        load_aligner(tmp_path / "heads.safetensors")
    assert not trace.exists()


@pytest.mark.parametrize("header", ["[" * 100_000, "[]", json.dumps({"options": {"width": "x"}})])
def test_heads_with_another_header_are_refused(tmp_path, header):
    path = tmp_path / "heads.safetensors"
    save_file({"x": torch.zeros(1)}, path, {"ssr": header})
    with pytest.raises(InputError, match="expected what align_prototypes writes"):
        load_aligner(path)


@dataclass
class Numbers:
    x: NDArray


def test_arrays_of_objects_are_refused_and_not_built(tmp_path, trace):
    np.savez(tmp_path / "a.npz", x=np.array([Payload(trace)], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"a\.npz: expected what some_rule writes"):
        load_arrays(tmp_path / "a.npz", Numbers, "some_rule")
    assert not trace.exists()


def test_compressed_arrays_get_no_memory(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(1_000_000))
    with pytest.raises(InputError, match=r"x\.npy is compressed"):
        load_arrays(tmp_path / "a.npz", Numbers, "some_rule")
