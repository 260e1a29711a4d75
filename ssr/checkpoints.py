"""Checkpoints of a training that ends with the same bits, killed or not."""

from __future__ import annotations

import hashlib
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from ssr.files import replacing

KEPT = 2
_PATTERN = "iteration_*.pt"


class Termination:
    """Whether the process was asked to end (SIGTERM), as schedulers do before they kill."""

    requested = False

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Note a SIGTERM inside the block instead of dying from it."""

        def note(_number: int, _frame: FrameType | None) -> None:
            self.requested = True

        previous = signal.signal(signal.SIGTERM, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, previous)

    def leave(self) -> None:
        """Exit as a process that SIGTERM ended."""
        raise SystemExit(128 + signal.SIGTERM)


def save(folder: Path, iteration: int, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all, then remove all but the newest ones.

    `state` holds what `torch.load(weights_only=True)` can read: tensors, numbers, texts and
    containers of them.
    """
    # Through Python's file: torch's own writer doesn't tell that a disk is full.
    final = folder / f"iteration_{iteration:08}.pt"
    with replacing(final) as temporary, temporary.open("wb") as file:
        torch.save(state, file)
    for old in sorted(folder.glob(_PATTERN))[:-KEPT]:
        old.unlink()


def newest(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint that can be read; damaged ones are reported and passed over."""
    for path in sorted(folder.glob(_PATTERN), reverse=True):
        try:
            state: dict[str, Any] = torch.load(path, "cpu", weights_only=True)
        except Exception as error:  # pickle's errors share no narrower base
            print(f"{path} can't be read ({error}): trying an older one", file=sys.stderr)
        else:
            return state
    return None


def fingerprint(parameters: Sequence[str], inputs: Iterable[Path]) -> str:
    """Twelve hexadecimal digits over texts and the contents of files.

    They name a work folder, so that no training continues one of other settings, data or code.
    """
    digests = []
    for path in inputs:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256("\n".join([*parameters, *digests]).encode()).hexdigest()[:12]


def remove(folder: Path) -> None:
    """Delete all checkpoints: the model has been exported."""
    for path in folder.glob(_PATTERN):
        path.unlink()
