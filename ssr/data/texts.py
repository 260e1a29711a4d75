"""Text files that people write: lists and tables of labels, in UTF-8."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ssr.errors import InputError


def read_text(path: str | Path) -> str:
    """What a text file holds, with the ends of its lines as they are.

    Raises:
        InputError: it is a folder, may not be read, or is not in UTF-8.
        FileNotFoundError: there is no such file.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{path}: wanted a text file; {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before, wrong = error.object[: error.start], error.object[error.start]
        line = len((before + b".").splitlines())
        raise InputError(f"{path}:{line}: wanted text in UTF-8, came byte 0x{wrong:02x}") from error


def stream_lines(path: str | Path) -> Iterator[str]:
    """The lines of a text file of any length with their ends, one in memory at a time.

    Raises:
        InputError, FileNotFoundError: as `read_text`.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except (OSError, UnicodeDecodeError):
        read_text(path)  # says where
        raise
