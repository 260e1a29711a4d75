"""What was seen in sound files of a data set, by their content, so that none is decoded twice.

Neither by the two programs that index it, nor by the next run, where files came or went, or one was
damaged and stopped the last.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from ssr.artefacts.files import replacing
from ssr.data.masks import split_reference
from ssr.running.contents import Content

NAME = ".sightings.json"
"""Of the file beside an index."""

Kind = Literal["image", "mask"]
Numbers = tuple[int, ...]
_Key = tuple[Kind, int, int, str]


class Sightings:
    """Numbers seen in files, by their kind, size, checksum and, in an archive, the member's name.

    `contents` has the files at hand, by the names under which they are asked for; what is not among
    them is never known.
    """

    def __init__(
        self,
        contents: Mapping[str, Content] = MappingProxyType({}),
        known: Mapping[_Key, Numbers] = MappingProxyType({}),
    ) -> None:
        self._contents = contents
        self._known = known
        self._seen: dict[_Key, Numbers] = {}

    @classmethod
    @contextmanager
    def kept(
        cls, path: Path, code: str, contents: Mapping[str, Content], whole: bool = False
    ) -> Iterator[Self]:
        """Those in a file, if the same `code` wrote it; what is seen in the block is added to it.

        So it is where the block ends with an error. Where it ends well and the data set was gone
        through as a `whole`, what was not seen is left out.
        """
        own = cls(contents, _read(path, code))
        try:
            yield own
        except BaseException:
            _write(path, code, {**own._known, **own._seen})
            raise
        _write(path, code, own._seen if whole else {**own._known, **own._seen})

    def recall(self, kind: Kind, reference: str) -> Numbers | None:
        """What was seen in a file, or in the member of an archive."""
        key = self._key(kind, reference)
        numbers = None if key is None else self._known.get(key)
        if key and numbers is not None:
            self._seen[key] = numbers
        return numbers

    def keep(self, kind: Kind, reference: str, numbers: Numbers) -> None:
        """Remember what was seen there, if it is at hand."""
        if key := self._key(kind, reference):
            self._seen[key] = numbers

    def _key(self, kind: Kind, reference: str) -> _Key | None:
        archive, member = split_reference(reference)
        content = self._contents.get(archive or member)
        return (kind, *content, member if archive else "") if content else None


def _write(path: Path, code: str, known: Mapping[_Key, Numbers]) -> None:
    """A line of code and checksum, then one for each file; nothing where the disk is full."""
    lines = [json.dumps([*key, *own], separators=(",", ":")) for key, own in known.items()]
    text = "\n".join(lines)
    with suppress(OSError), replacing(path) as temporary:
        temporary.write_text(f"{json.dumps([code, zlib.crc32(text.encode())])}\n{text}")


def _read(path: Path, code: str) -> dict[_Key, Numbers]:
    """What a file has; nothing if it is damaged, or of other code."""
    try:
        head, _, text = path.read_text().partition("\n")
        if json.loads(head) != [code, zlib.crc32(text.encode())]:
            return {}
        rows = map(json.loads, text.splitlines())
        return {(row[0], row[1], row[2], row[3]): tuple(row[4:]) for row in rows}
    except (OSError, ValueError):
        return {}
