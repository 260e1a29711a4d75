"""Writes trained backbones as float16 safetensors; CLIP's token embedding without unused rows."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ssr.artefacts.files import replacing
from ssr.artefacts.tensors import write_tensors
from ssr.running.event_files import is_event_file


def half_precision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Floating-point tensors as contiguous float16 on the processor; others as they are."""
    return {
        name: (value.half() if value.is_floating_point() else value)
        .detach()
        .cpu()
        .clone()
        .contiguous()
        for name, value in state.items()
    }


def write_clip(state: Mapping[str, Tensor], identifiers: Sequence[int], path: Path) -> None:
    """Weights of a CLIP with a compact vocabulary, and the token id of each embedding row."""
    identified = {"token_embedding.ids": torch.tensor(identifiers)}
    write_tensors(path, half_precision(state) | identified)


def write_dino(state: Mapping[str, Tensor], path: Path) -> None:
    """Weights of the teacher's backbone."""
    write_tensors(path, half_precision(state))


def write_json(content: Mapping[str, object], path: Path) -> None:
    """A model description or a report, indented."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def finish(work: Path, weights: Path, description: Mapping[str, object]) -> None:
    """Write model description and losses beside the exported weights; clear the work folder.

    Only the curves for TensorBoard stay there.
    """
    write_json(description, weights.with_suffix(".json"))
    shutil.copyfile(work / "history.csv", weights.with_suffix(".csv"))
    for path in work.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif not is_event_file(path):
            path.unlink()
