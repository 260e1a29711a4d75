"""What was seen in sound files of a data set, so that none is decoded twice.

Neither by the two programs that index it, nor by the next run, where files came or went, or one was
damaged and stopped the last. A file is the same if its name, size, date and checksum are: without
the first, a checksum of 32 bits would have to tell all files from each other, and PNGs of one size
hold their own, which leaves 16.
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
from ssr.errors import InputError
from ssr.running.contents import Content

NAME = ".sightings.json"
"""Of the file beside an index."""

Kind = Literal["image", "mask"]
Numbers = tuple[int, ...]
_Known = Mapping[tuple[Kind, str], tuple[Content, Numbers]]


class Sightings:
    """Numbers seen in files, or in members of archives, by kind and reference.

    `contents` has the files at hand, by the names under which they are asked for; what is not among
    them is never known.
    """

    def __init__(
        self,
        contents: Mapping[str, Content] = MappingProxyType({}),
        known: _Known = MappingProxyType({}),
    ) -> None:
        self._contents = contents
        self._known = known
        self._seen: dict[tuple[Kind, str], tuple[Content, Numbers]] = {}

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
        """What was seen there, if the file is the same."""
        found = self._known.get((kind, reference))
        if found is None or found[0] != self._content(reference):
            return None
        self._seen[kind, reference] = found
        return found[1]

    def keep(self, kind: Kind, reference: str, numbers: Numbers) -> None:
        """Remember what was seen there, if it is at hand."""
        if content := self._content(reference):
            self._seen[kind, reference] = content, numbers

    def _content(self, reference: str) -> Content | None:
        archive, member = split_reference(reference)
        return self._contents.get(archive or member)


def _write(path: Path, code: str, known: _Known) -> None:
    """A line of code and checksum, then one for each file; nothing where that can't be written."""
    rows = ([*key, *content, *numbers] for key, (content, numbers) in known.items())
    text = "\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    with suppress(OSError, InputError), replacing(path) as temporary:
        temporary.write_text(f"{json.dumps([code, zlib.crc32(text.encode())])}\n{text}")


def _read(path: Path, code: str) -> _Known:
    """What a file has; nothing if it is damaged, or of other code."""
    try:
        head, _, text = path.read_text().partition("\n")
        if json.loads(head) != [code, zlib.crc32(text.encode())]:
            return {}
        rows = map(json.loads, text.splitlines())
        return {(row[0], row[1]): ((row[2], row[3], row[4]), tuple(row[5:])) for row in rows}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
