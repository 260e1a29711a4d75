"""Text files that people write: lists and tables of labels, in UTF-8."""

from __future__ import annotations

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
