"""Image and text heads (ISA, TSA) that map CLIP's joint space into the aligned space."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ssr.artefacts.seals import verify
from ssr.artefacts.tensors import METADATA, write_tensors
from ssr.config import Alignment
from ssr.errors import InputError


@dataclass(frozen=True)
class HeadOptions:
    """Shape of both heads.

    dimension: width D of CLIP's joint space; layers: Linear + BatchNorm + ReLU blocks; width: their
    output width, and d of the aligned space; residual: the head adds to its input and starts at
    zero, so that training begins exactly at CLIP (d is then D).
    """

    dimension: int
    layers: int = 2
    width: int = 512
    residual: bool = True
    temperature: float = 0.05


def unit(features: Tensor, constant_length: bool = False) -> Tensor:
    """Unit vectors (..., D) of features (..., D); zeros stay zero.

    `constant_length`: differentiated as if the lengths that they are divided by were constants.
    """
    if constant_length:
        lengths = features.norm(dim=-1, keepdim=True).detach()
        return features / lengths.clamp(min=torch.finfo(lengths.dtype).tiny)
    return F.normalize(features, dim=-1)


class AlignmentHead(nn.Module):
    """Linear + BatchNorm + ReLU blocks and a Linear, from (..., D) to unit vectors (..., d)."""

    def __init__(self, options: HeadOptions) -> None:
        super().__init__()
        widths = [options.dimension] + [options.width] * options.layers
        blocks: list[nn.Module] = []
        for before, after in pairwise(widths):
            blocks += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
        self.residual = options.residual
        last = nn.Linear(widths[-1], options.dimension if options.residual else options.width)
        if options.residual:
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*blocks, last)

    def forward(self, features: Tensor, constant_length: bool = False) -> Tensor:
        """Aligned unit vectors (..., d) of joint-space features (..., D) of any length.

        `constant_length`: as for `unit`, before the layers and behind them.
        """
        entering = unit(features, constant_length)
        moved = self.layers(entering.flatten(0, -2)).unflatten(0, entering.shape[:-1])
        return unit(entering + moved if self.residual else moved, constant_length)


class AlignmentHeads(nn.Module):
    """ISA (`image`), TSA (`text`) and the learnable temperature tau."""

    def __init__(self, options: HeadOptions) -> None:
        super().__init__()
        self.options = options
        self.image = AlignmentHead(options)
        self.text = AlignmentHead(options)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(options.temperature)))

    @property
    def temperature(self) -> Tensor:
        """Tau, a positive scalar; kept above 0.01 as CLIP keeps its own."""
        return _bounded(self.log_temperature)

    @property
    def sharpening(self) -> Tensor:
        """By how much tau has been learned to be smaller: exactly 1 for new heads."""
        return _bounded(torch.tensor(math.log(self.options.temperature))) / self.temperature


def _bounded(log_temperature: Tensor) -> Tensor:
    return log_temperature.exp().clamp(min=0.01)


def new_heads(options: HeadOptions, images: Tensor, texts: Tensor, seed: int) -> AlignmentHeads:
    """Seeded heads in evaluation mode, whose BatchNorm statistics are those of the data.

    Without the statistics, prototypes taken before the first round would lie in another space
    than the features that are trained towards them. images (S, D), texts (T, D).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads = AlignmentHeads(options)
    norms = [m for m in heads.modules() if isinstance(m, nn.BatchNorm1d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        heads.image(images)
        heads.text(texts)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return heads.eval()


def starting_heads(
    previous: Path | None, settings: Alignment, images: Tensor, texts: Tensor, seed: int
) -> tuple[AlignmentHeads, int]:
    """The heads with which a round starts, of the round before or new, and their iterations so far.

    previous: file of the round before; images (S, D), texts (T, D): what the heads will be fed.
    """
    if previous:
        heads, metadata = load_heads(previous)
        return heads, metadata["iterations"]
    options = HeadOptions(
        dimension=images.shape[1],
        layers=settings.layers,
        width=settings.width,
        residual=settings.residual,
        temperature=settings.temperature,
    )
    return new_heads(options, images, texts, seed), 0


def save_heads(
    path: Path,
    heads: AlignmentHeads,
    metadata: Mapping[str, object],
    earlier: Mapping[int, Mapping[str, Tensor]] | None = None,
) -> None:
    """Write safetensors; equal heads and metadata give equal bytes.

    Args:
        path: of the file.
        heads: those with which a round ends.
        metadata: JSON-able; its `iterations`, since the start of the first round, is for
            `load_looks`.
        earlier: states of the heads after fewer iterations, for `load_looks` alone.
    """
    described = {**metadata, "options": asdict(heads.options)}
    tensors = dict(heads.state_dict())
    if earlier:
        described["earlier"] = sorted(earlier)
    for iteration, state in (earlier or {}).items():
        tensors |= {f"{iteration}.{name}": tensor for name, tensor in state.items()}
    write_tensors(path, tensors, described)


def load_heads(path: Path, earlier: int | None = None) -> tuple[AlignmentHeads, dict[str, Any]]:
    """Heads in evaluation mode without gradients, and the metadata they were saved with.

    `earlier`: those after so many iterations, instead of those with which the round ends.

    Raises:
        InputError: not a file written by `save_heads`, or not any more.
    """
    verify(path)
    prefix = "" if earlier is None else f"{earlier}."
    try:
        with safe_open(path, "pt") as file:
            metadata = json.loads(file.metadata()[METADATA])
            heads = AlignmentHeads(HeadOptions(**metadata["options"]))
            names = heads.state_dict()
            heads.load_state_dict({name: file.get_tensor(prefix + name) for name in names})
    except (OSError, SafetensorError, TypeError, KeyError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{path}: expected heads written by align_prototypes, found an unreadable file "
            f"({error}); delete it to have it made again"
        ) from error
    return heads.eval().requires_grad_(False), metadata


def load_looks(path: Path) -> dict[int, AlignmentHeads]:
    """The heads of a round at every look, by iterations since the start of the first round.

    Raises:
        InputError: as for `load_heads`.
    """
    heads, metadata = load_heads(path)
    looks = {number: load_heads(path, number)[0] for number in metadata.get("earlier", [])}
    return looks | {metadata["iterations"]: heads}
