"""Writes trained backbones as float16 safetensors; CLIP's token embedding without unused rows."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor


def half_precision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Floating-point tensors as contiguous float16; others as they are."""
    return {
        name: (value.half() if value.is_floating_point() else value).detach().clone().contiguous()
        for name, value in state.items()
    }


def write_clip(state: Mapping[str, Tensor], identifiers: list[int], path: Path) -> None:
    """Weights of a CLIP with a compact vocabulary, and the token id of each embedding row."""
    tensors = half_precision(state)
    tensors["token_embedding.ids"] = torch.tensor(identifiers)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)


def write_dino(state: Mapping[str, Tensor], path: Path) -> None:
    """Weights of the teacher's backbone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(half_precision(state), path)


def write_json(content: Mapping[str, object], path: Path) -> None:
    """A model description or a report, indented."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")
