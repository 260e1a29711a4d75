"""Zip files as containers: equal content gives equal bytes; reading survives fork and pickle."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ssr.errors import InputError

# Zip's first day: the clock must not make two equal archives differ.
_DATE = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16
# Opening again costs some milliseconds; a process may have about 1,000 files open.
_MOST_OPEN = 256


def write_entry(archive: zipfile.ZipFile, key: str, content: bytes) -> None:
    """Add an uncompressed entry with a fixed date.

    Raises:
        ValueError: the archive holds `key` already.
    """
    if key in archive.NameToInfo:
        raise ValueError(f"{key} was written before")
    entry = zipfile.ZipInfo(key, _DATE)
    entry.create_system = 3  # Unix on every system
    entry.external_attr = _READABLE
    archive.writestr(entry, content)


def broken(path: Path, reason: object) -> InputError:
    """The error for an archive that can't be used."""
    return InputError(f"{path}: {reason}; delete this file and run snakemake again to remake it")


class Archives:
    """Zip files that are opened when first read, in each process anew."""

    def __init__(self, paths: Sequence[str | Path]) -> None:
        self.paths = [Path(path) for path in paths]
        self._handles: dict[int, zipfile.ZipFile] = {}
        self._process = os.getpid()

    def keys(self, number: int) -> list[str]:
        """Names of the entries of archive `number`, in the order of writing.

        Raises:
            InputError: the file is missing, cut short or no zip file.
        """
        return self._open(number).namelist()

    def read(self, number: int, key: str) -> bytes:
        """Content of one entry, its checksum verified.

        Raises:
            InputError: the entry is missing or damaged.
        """
        try:
            return self._open(number).read(key)
        except KeyError:
            raise broken(self.paths[number], f"holds no {key}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise broken(self.paths[number], f"cannot read {key} ({error})") from error

    def _open(self, number: int) -> zipfile.ZipFile:
        # Processes that share a handle share its position in the file: a forked one opens its own.
        if self._process != os.getpid():
            self._handles, self._process = {}, os.getpid()
        handle = self._handles.get(number)
        if handle is None:
            if len(self._handles) >= _MOST_OPEN:
                self._handles = {}
            handle = self._handles[number] = _open_zip(self.paths[number])
        return handle

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handles": {}}


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run snakemake to make it") from None
    except (zipfile.BadZipFile, OSError) as error:
        raise broken(path, f"is cut short or no zip file ({error})") from error
