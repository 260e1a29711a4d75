"""Zip files as containers: equal content gives equal bytes; reading survives fork and pickle."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ssr.artefacts.files import replacing
from ssr.artefacts.seals import BLANK, broken, seal
from ssr.errors import InputError

# Zip's first day: the clock must not make two equal archives differ.
_DATE = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16
# Opening again costs some milliseconds; a process may have about 1,000 files open.
_MOST_OPEN = 256
_CONTENTS = b"contents "


@contextmanager
def new_archive(path: str | Path) -> Iterator[zipfile.ZipFile]:
    """A zip file for `write_entry`; it appears under its name only when the block succeeds.

    Its comment holds a digest of its table of contents, of which zip itself has no checksum, and a
    seal (see `ssr.artefacts.seals`).
    """
    with replacing(path) as temporary:
        with zipfile.ZipFile(temporary, "w") as archive:
            yield archive
            archive.comment = _comment(archive)
        seal(temporary)


def write_entry(archive: zipfile.ZipFile, key: str, content: bytes | memoryview) -> None:
    """Add an uncompressed entry with a fixed date.

    Raises:
        ValueError: the archive holds `key` already, or `key` leads out of the folder where an
            archive is unpacked.
    """
    if key.startswith("/") or "\\" in key or ".." in key.split("/"):
        raise ValueError(f"{key!r} leads out of the folder where it is unpacked")
    if key in archive.NameToInfo:
        raise ValueError(f"{key} was written before")
    entry = zipfile.ZipInfo(key, _DATE)
    entry.create_system = 3  # Unix on every system
    entry.external_attr = _READABLE
    archive.writestr(entry, content)


class ArchiveWriter:
    """Write one zip file, which appears only when the block ends without error."""

    def __init__(self, path: str | Path) -> None:
        self._context = new_archive(path)

    def __enter__(self) -> Self:
        self._archive = self._context.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._context.__exit__(kind, error, traceback)


def refuse_compressed(archive: zipfile.ZipFile, keys: Iterable[str]) -> None:
    """Neither this project nor torch compresses entries: a small one might stand for gigabytes.

    Raises:
        zipfile.BadZipFile: one of the entries is compressed.
        KeyError: one is missing.
    """
    for key in keys:
        if archive.getinfo(key).compress_type != zipfile.ZIP_STORED:
            raise zipfile.BadZipFile(f"{key} is compressed")


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
        archive = self._open(number)
        try:
            refuse_compressed(archive, [key])
            return archive.read(key)
        except KeyError:
            raise broken(self.paths[number], f"holds no {key}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
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


class ImageArchives:
    """Zip files of which each holds some images, whose ids a subclass lists in `_stores`."""

    def __init__(self, paths: Sequence[str | Path]) -> None:
        self._archives = Archives(paths)
        self._stores: dict[str, int] = {}

    @property
    def ids(self) -> list[str]:
        """Image ids, in the order of the files and of writing."""
        return list(self._stores)

    def __len__(self) -> int:
        return len(self._stores)

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._stores


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run snakemake to make it") from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise broken(path, f"is cut short or no zip file ({error})") from error
    # Archives of others have another comment, or none.
    if archive.comment.startswith(_CONTENTS):
        if len(archive.comment) < len(_comment(archive)):
            raise broken(path, "is cut short")
        if not archive.comment.startswith(_comment(archive).removesuffix(BLANK.encode())):
            raise broken(path, "has a damaged table of contents")
    return archive


def _comment(archive: zipfile.ZipFile) -> bytes:
    """SHA-256 of names, checksums, sizes and places of all entries, and a blank seal."""
    entries = [
        (entry.filename, entry.CRC, entry.file_size, entry.header_offset)
        for entry in archive.infolist()
    ]
    digest = hashlib.sha256(repr(entries).encode()).hexdigest()
    return b"%s%s %s" % (_CONTENTS, digest.encode(), BLANK.encode())
