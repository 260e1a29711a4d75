"""Whether files hold what they held when something was made of them.

Size and date tell which files may have changed, and the content of those decides: a copy with other
dates is no change. What was seen lies beside what was made of it, in a hidden file: dates are no
result, and results are equal for equal content.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ssr.artefacts.files import replacing

_CHUNK = 1 << 20
# To compare more is worth a word: it takes its time.
_MANY = 1000
# Size in bytes and date in nanoseconds; nothing where there is no such file.
Look = tuple[int, int] | None


@dataclass(frozen=True)
class Record:
    """What was seen of files, by their names relative to the folder `root`.

    `state` is the text that stood for them, as `state_of` gave it; `first` is how each looked when
    it was first seen with the content that it has.
    """

    state: str
    root: str
    looks: Mapping[str, Look]
    checksums: Mapping[str, int | None]
    first: Mapping[str, Look]

    @classmethod
    def of(
        cls,
        state: str,
        root: str | Path,
        names: Iterable[str],
        threads: int,
        before: Self | None = None,
    ) -> Self:
        """Look at files and read them; `before` is what was seen of them the last time."""
        looks = _looks(root, names)
        checksums = _checksums(root, [*looks], threads)
        first = {
            name: before.first[name]
            if before and name in before.looks and before.checksums[name] == checksums[name]
            else look
            for name, look in looks.items()
        }
        return cls(state, str(root), looks, checksums, first)

    @classmethod
    def read(cls, made: str | Path) -> Self | None:
        """The record beside a file that was made, if there is a sound one."""
        try:
            content = json.loads(_place(made).read_text())
            files = content["files"].items()
            looks = {name: (own[0], own[1]) if own else None for name, own in files}
            checksums = {name: own[2] if own else None for name, own in files}
            first = {
                name: (own[0], own[3]) if own and own[3:] else looks[name] for name, own in files
            }
            return cls(content["state"], content["root"], looks, checksums, first)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def write(self, made: str | Path) -> None:
        """Keep it beside the file that is made."""
        files = {name: self._line(name) for name in self.looks}
        content = {"state": self.state, "root": self.root, "files": files}
        with replacing(_place(made)) as temporary:
            temporary.write_text(json.dumps(content, separators=(",", ":")))

    @property
    def contents(self) -> str:
        """Twelve hexadecimal digits that stand for the names and contents of the files."""
        return digest_of(self.checksums)

    def changed(self) -> Iterator[tuple[str, bool]]:
        """Path of each file whose content is another now, and whether only a look inside tells."""
        looks = _looks(self.root, self.looks)
        for name in self._others([*self.looks], self.root):
            yield os.path.join(self.root, name), looks[name] == self.looks[name]

    def first_looks(self, root: str | Path, looks: Mapping[str, Look]) -> dict[str, Look]:
        """How files that look so, below `root`, looked when they first had the content they have.

        Only those that differ in nothing but their date from what was seen are read.
        """
        known = {name: own for name, own in looks.items() if name in self.looks}
        other = {name for name, own in known.items() if _size(own) != _size(self.looks[name])}
        doubtful = [name for name, own in known.items() if own != self.looks[name]]
        doubtful = [name for name in doubtful if name not in other]
        if len(doubtful) > _MANY:
            print(f"comparing {len(doubtful)} files of another date in {root}", file=sys.stderr)
        other.update(self._others(doubtful, root))
        return {
            name: self.first[name] if name in known and name not in other else own
            for name, own in looks.items()
        }

    def _line(self, name: str) -> Sequence[int | None] | None:
        """Size, date, checksum and, where it is another, the first date with this content."""
        look, first = self.looks[name], self.first[name]
        if look is None or first is None:
            return None
        return (*look, self.checksums[name], *(() if first == look else (first[1],)))

    def _others(self, names: Sequence[str], root: str | Path) -> list[str]:
        found = _checksums(root, names, os.cpu_count() or 1)
        return [name for name in names if found[name] != self.checksums[name]]


@dataclass(frozen=True)
class Standing:
    """What stands for the contents of files: `state` for that of all, as `state_of` gives it."""

    state: str
    first: Mapping[str, Look]

    @classmethod
    def of(cls, made: str | Path, root: str | Path, names: Iterable[str]) -> Self:
        """Look at the files of which `made` is or will be made."""
        looks, known = _looks(root, names), Record.read(made)
        if known is None:
            return cls(f"files {digest_of(looks)}", looks)
        first = known.first_looks(root, looks)
        if first != known.first:
            return cls(f"files {digest_of(looks)}", first)
        if looks != known.looks:
            with suppress(OSError):  # where nothing can be written, they are compared again
                replace(known, root=str(root), looks=looks).write(made)
        return cls(known.state, first)


def state_of(made: str | Path, root: str | Path, names: Iterable[str]) -> str:
    """A text that stands for the contents of files, of which `made` is or will be made.

    It is that of the record beside `made` as long as all files have their content; else, or without
    a record, another one, which follows from their sizes and dates.
    """
    return Standing.of(made, root, names).state


def digest_of(values: Mapping[str, object]) -> str:
    """Twelve hexadecimal digits that stand for named values, whatever their order."""
    text = json.dumps(sorted(values.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def records(folder: Path) -> Iterator[tuple[Path, Record]]:
    """Each file anywhere below `folder` that has a record, and this."""
    for place in sorted(folder.rglob(".*.json")):
        made = place.with_name(place.stem[1:])
        if made.is_file() and (record := Record.read(made)):
            yield made, record


def _looks(root: str | Path, names: Iterable[str]) -> dict[str, Look]:
    """How files look from outside; none is opened."""
    return {name: _look(os.path.join(root, name)) for name in names}


def _look(path: str) -> Look:
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # the latter for what can't be the name of a file
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _size(look: Look) -> int | None:
    return look and look[0]


def _checksums(root: str | Path, names: Sequence[str], threads: int) -> dict[str, int | None]:
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(_checksum, (Path(root, name) for name in names))
        return dict(zip(names, found, strict=True))


def _checksum(path: Path) -> int | None:
    try:
        if not path.is_file():  # a pipe may never end
            return None
        with path.open("rb") as file:
            value = 0
            while chunk := file.read(_CHUNK):
                value = zlib.crc32(chunk, value)
            return value
    except (OSError, ValueError):
        return None


def _place(made: str | Path) -> Path:
    return Path(made).with_name(f".{Path(made).name}.json")
