"""What CMPA has trained, from round to round: where it starts, and files of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ssr.alignment.aligner import Aligner
from ssr.alignment.heads import AlignmentHeads, HeadOptions, starting_heads
from ssr.alignment.samples import Samples
from ssr.alignment.tuned_block import BlockOptions, TunedBlock
from ssr.artefacts.seals import verify
from ssr.artefacts.tensors import METADATA, write_tensors
from ssr.backbones.last_block import LastBlock
from ssr.config import Alignment
from ssr.errors import InputError

_UNREADABLE = (
    *(OSError, SafetensorError, TypeError, KeyError, RuntimeError, ValueError),
    *(AttributeError, AssertionError),  # a description of a block that is none
)


def starting_aligner(
    previous: Path | None,
    settings: Alignment,
    samples: Samples,
    texts: Tensor,
    seed: int,
    block: Callable[[], LastBlock],
) -> tuple[Aligner, int]:
    """What a round starts with, of the round before or new, and its iterations so far.

    Args:
        previous: file of the round before.
        settings: what is trained.
        samples, texts, seed: as for `starting_heads`, where heads are.
        block: loads CLIP's last block, where that is trained.
    """
    if previous:
        aligner, metadata = load_aligner(previous)
        return aligner, metadata["iterations"]
    if settings.trains == "last_block":
        return TunedBlock.of(block(), settings.temperature), 0
    return starting_heads(settings, samples, texts, seed), 0


def save_aligner(
    path: Path,
    aligner: Aligner,
    metadata: Mapping[str, object],
    earlier: Mapping[int, Mapping[str, Tensor]] | None = None,
) -> None:
    """Write safetensors; equal aligners and metadata give equal bytes.

    Args:
        path: of the file.
        aligner: that with which a round ends.
        metadata: JSON-able; its `iterations`, since the start of the first round, is for
            `load_looks`.
        earlier: its states after fewer iterations, for `load_looks` alone.
    """
    described = {**metadata, "options": vars(aligner.options)}
    tensors = dict(aligner.state_dict())
    if earlier:
        described["earlier"] = sorted(earlier)
    for iteration, state in (earlier or {}).items():
        tensors |= {f"{iteration}.{name}": tensor for name, tensor in state.items()}
    write_tensors(path, tensors, described)


def load_aligner(path: Path, earlier: int | None = None) -> tuple[Aligner, dict[str, Any]]:
    """An aligner in evaluation mode without gradients, and the metadata it was saved with.

    `earlier`: that after so many iterations, instead of that with which the round ends.

    Raises:
        InputError: not a file written by `save_aligner`, or not any more.
    """
    verify(path)
    prefix = "" if earlier is None else f"{earlier}."
    try:
        with safe_open(path, "pt") as file:
            metadata = json.loads(file.metadata()[METADATA])
            aligner = _described(metadata["options"])
            names = aligner.state_dict()
            aligner.load_state_dict({name: file.get_tensor(prefix + name) for name in names})
    except _UNREADABLE as error:
        raise InputError(
            f"{path}: expected what align_prototypes writes, found an unreadable file "
            f"({error}); delete it to have it made again"
        ) from error
    return aligner.eval().requires_grad_(False), metadata


def load_looks(path: Path) -> dict[int, Aligner]:
    """The aligners of a round at every look, by iterations since the start of the first round.

    Raises:
        InputError: as for `load_aligner`.
    """
    aligner, metadata = load_aligner(path)
    looks = {number: load_aligner(path, number)[0] for number in metadata.get("earlier", [])}
    return looks | {metadata["iterations"]: aligner}


def _described(options: Mapping[str, Any]) -> Aligner:
    if "config" in options:
        return TunedBlock(BlockOptions(**options))
    return AlignmentHeads(HeadOptions(**options))
