"""Checkpoints of a training that ends with the same bits, killed or not."""

from __future__ import annotations

import hashlib
import signal
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from ssr.artefacts.files import replacing
from ssr.running.digests import digest

KEPT = 2
_PATTERN = "iteration_*.pt"


class Termination:
    """Whether the process was asked to end, as schedulers do before they kill."""

    SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
    number = 0
    """Of the signal that came; 0 as long as there was none."""

    @property
    def requested(self) -> bool:
        """Whether a signal came."""
        return self.number > 0

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Note SIGTERM and SIGUSR1 inside the block instead of dying from them."""

        def note(number: int, _frame: FrameType | None) -> None:
            self.number = number

        previous = [signal.signal(number, note) for number in self.SIGNALS]
        try:
            yield
        finally:
            for number, handler in zip(self.SIGNALS, previous, strict=True):
                signal.signal(number, handler)

    def leave(self) -> None:
        """Exit as a process that the signal ended: with 128 and its number."""
        raise SystemExit(128 + self.number)


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
        old.unlink(missing_ok=True)  # another process may prune the same folder


def newest(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint that can be read; damaged ones are reported and passed over."""
    for path in sorted(folder.glob(_PATTERN), reverse=True):
        try:
            state = _load(path)
        except Exception as error:  # pickle's errors share no narrower base
            print(f"{path} can't be read ({error}): trying an older one", file=sys.stderr)
        else:
            return state
    return None


def _load(path: Path) -> dict[str, Any]:
    # torch writes the checksums of a zip file, but doesn't compare them when it reads.
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise zipfile.BadZipFile(f"{damaged} is damaged")
    state: dict[str, Any] = torch.load(path, "cpu", weights_only=True)
    return state


def fingerprint(parameters: Sequence[str], inputs: Iterable[Path]) -> str:
    """Twelve hexadecimal digits over texts and the contents of files.

    They name a work folder, so that no training continues one of other settings, data or code.
    """
    texts = [*parameters, *map(digest, inputs)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def remove(folder: Path) -> None:
    """Delete all checkpoints: the model has been exported."""
    for path in folder.glob(_PATTERN):
        path.unlink(missing_ok=True)
