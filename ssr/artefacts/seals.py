"""Files that betray a flipped bit: each holds the SHA-256 of all its other bytes, as plain text.

For formats with a place for text: the metadata of safetensors and Parquet, a zip file's comment, a
JSON value. Readers that know nothing of it are not disturbed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from ssr.errors import InputError

_MARK = b"ssr-sha256:"
_DIGITS = 64
# Written where the seal shall stand.
BLANK = _MARK.decode() + "0" * _DIGITS
# Formats keep their metadata at the beginning or at the end.
_REACH = 1 << 20
_CHUNK = 1 << 22


def seal(path: Path) -> None:
    """Replace the first `BLANK` of a file by its seal; equal files get equal seals."""
    with path.open("r+b") as file:
        position = _find(file)
        if position is None:
            raise ValueError(f"{path} holds no blank seal")
        digest = _digest(file, position)
        file.seek(position)
        file.write(digest)


def verify(path: Path, required: bool = False) -> None:
    """Read a file whole and compare it with its seal; one that can't be read is left to its reader.

    Args:
        path: any file; those of other programs have no seal.
        required: whether one without a seal, or that can't be read, is refused.

    Raises:
        InputError: it is not what was written.
    """
    try:
        with path.open("rb") as file:
            position = _find(file)
            if position is None:
                if required:
                    raise broken(path, "has no seal: it is damaged or of an older version")
                return
            digest = _digest(file, position)
            file.seek(position)
            if file.read(_DIGITS) != digest:
                raise broken(path, "is damaged: its SHA-256 is not that with which it was written")
    except OSError as error:
        if required:
            raise InputError(f"{path}: cannot be read ({error})") from error


def broken(path: Path, reason: object) -> InputError:
    """The error for an artefact that can't be used."""
    return InputError(f"{path}: {reason}; delete this file and run snakemake again to remake it")


def _find(file: BinaryIO) -> int | None:
    """Where the digits of the first seal begin."""
    end = file.seek(0, 2)
    for start in (0, max(0, end - _REACH)):
        file.seek(start)
        found = file.read(_REACH).find(_MARK)
        if found >= 0:
            return start + found + len(_MARK)
    return None


def _digest(file: BinaryIO, position: int) -> bytes:
    """Hexadecimal SHA-256 of a file with zeros for the digits at `position`."""
    digest = hashlib.sha256()
    file.seek(0)
    left = position
    while left and (chunk := file.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    digest.update(b"0" * _DIGITS)
    file.seek(_DIGITS, 1)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest().encode()
