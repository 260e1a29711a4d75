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
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Self

from ssr.artefacts.files import replacing

_CHUNK = 1 << 20
# At most so many files a thread reads before it asks for more.
_BATCH = 64
# To compare more is worth a word: it takes its time.
_MANY = 1000
# Size in bytes and date in nanoseconds; nothing where there is no such file.
Look = tuple[int, int] | None
# Size, date and CRC-32.
Content = tuple[int, int, int]


@dataclass(frozen=True)
class Record:
    """What was seen of files, by their names relative to the folder `root`.

    `state` is the text that stood for them, as `state_of` gave it, and `glance` stands for `looks`.
    `first` has the date at which a file was first seen with its content, where it has another now.
    """

    state: str
    root: str
    looks: Mapping[str, Look]
    checksums: Mapping[str, int | None]
    glance: str
    first: Mapping[str, int]

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
        looks = dict(_looks(root, names))
        checksums = _checksums(root, [*looks], threads)
        seen = before.checksums if before else {}
        same = (name for name, own in checksums.items() if name in seen and seen[name] == own)
        first = before.first_dates(looks, same) if before else {}
        if before:
            first |= {n: look[1] for n, look in before.taken(looks, checksums).items()}
        return cls(state, str(root), looks, checksums, _glance(looks.items()), first)

    @classmethod
    def read(cls, made: str | Path) -> Self | None:
        """The record beside a file that was made, if there is a sound one."""
        try:
            with _place(made).open() as lines:
                head = json.loads(next(lines, ""))
                # Until version 0.2 all files stood in the first line.
                files = dict(head["files"] if "files" in head else map(json.loads, lines))
            looks = {name: (own[0], own[1]) if own else None for name, own in files.items()}
            checksums = {name: own[2] if own else None for name, own in files.items()}
            first = {name: own[3] for name, own in files.items() if own and own[3:]}
            return cls(head["state"], head["root"], looks, checksums, head.get("glance", ""), first)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def write(self, made: str | Path) -> None:
        """Keep it beside the file that is made, a line for each of its files behind the first."""
        files = ((name, self._line(name)) for name in self.looks)
        head = {"state": self.state, "root": self.root, "glance": self.glance}
        with replacing(_place(made)) as temporary, temporary.open("w") as file:
            for line in chain([head], files):
                file.write(json.dumps(line, separators=(",", ":")) + "\n")

    @property
    def contents(self) -> str:
        """Twelve hexadecimal digits that stand for the names and contents of the files."""
        return digest_of(self.checksums)

    @property
    def files(self) -> dict[str, Content]:
        """As `contents_of`, as they were seen."""
        return _contents(self.looks, self.checksums)

    def changed(self) -> Iterator[tuple[str, bool]]:
        """Path of each file whose content is another now, and whether only a look inside tells."""
        looks = dict(_looks(self.root, self.looks))
        for name in self._others([*self.looks], self.root):
            yield os.path.join(self.root, name), looks[name] == self.looks[name]

    def holds(self, root: str | Path, looks: Mapping[str, Look]) -> bool:
        """Whether files that look so, below `root`, have the content of those that were seen."""
        if looks == self.looks:
            return True
        return _sizes(looks) == _sizes(self.looks) and not self.replaced(root, looks)

    def replaced(self, root: str | Path, looks: Mapping[str, Look]) -> list[str]:
        """Which of files of the sizes that were seen have another content.

        Only those that have another date are read.
        """
        doubtful = [name for name, own in looks.items() if own != self.looks[name]]
        if len(doubtful) > _MANY:
            print(f"comparing {len(doubtful)} files of another date in {root}", file=sys.stderr)
        return self._others(doubtful, root)

    def first_dates(self, looks: Mapping[str, Look], same: Iterable[str]) -> dict[str, int]:
        """`first` of files that look so, of which the `same` have the content that was seen."""
        dates = ((name, self.first_look(name)) for name in same)
        return {name: first[1] for name, first in dates if first and first != looks.get(name)}

    def first_look(self, name: str) -> Look:
        """How a file looked when it was first seen with its content."""
        look = self.looks[name]
        return look and (look[0], self.first.get(name, look[1]))

    def taken(
        self, looks: Mapping[str, Look], checksums: Mapping[str, int | None]
    ) -> dict[str, tuple[int, int]]:
        """What stands for another content under a date that stood for the one before."""
        return {
            name: (own[0], ~own[1])
            for name, own in looks.items()
            if own
            and name in self.looks
            and own == self.first_look(name)
            and checksums.get(name) != self.checksums[name]
        }

    def _line(self, name: str) -> Sequence[int | None] | None:
        """Size, date, checksum and, where it is another, the first date."""
        look, first = self.looks[name], self.first.get(name)
        return look and (*look, self.checksums[name], *(() if first is None else (first,)))

    def _others(self, names: Sequence[str], root: str | Path) -> list[str]:
        found = _checksums(root, names, os.cpu_count() or 1)
        return [name for name in names if found[name] != self.checksums[name]]


def contents_of(root: str | Path, names: Iterable[str], threads: int) -> dict[str, Content]:
    """What tells files from those that had their names before, of those that can be read."""
    looks = dict(_looks(root, names))
    return _contents(looks, _checksums(root, [*looks], threads))


def _contents(looks: Mapping[str, Look], checksums: Mapping[str, int | None]) -> dict[str, Content]:
    pairs = ((name, look, checksums[name]) for name, look in looks.items())
    return {name: (*look, own) for name, look, own in pairs if look and own is not None}


def state_of(made: str | Path, root: str | Path, names: Iterable[str]) -> str:
    """A text that stands for the contents of files, of which `made` is or will be made.

    It is that of the record beside `made` as long as all files have their content; else, or without
    a record, another one, which follows from their sizes and dates. `names` are gone through again
    where these differ from those of the record; nothing else is held in memory for each of them.
    """
    glance = _glance(_looks(root, names))
    if (state := _state_at(made, glance)) is not None:
        return state
    known = Record.read(made)
    if known and known.holds(root, looks := dict(_looks(root, names))):
        with suppress(OSError):  # where nothing can be written, they are compared again
            first = known.first_dates(looks, looks)
            replace(known, root=str(root), looks=looks, glance=glance, first=first).write(made)
        return known.state
    state = f"files {glance}"
    return f"files {_glance([(state, None)])}" if known and known.state == state else state


def first_looks(made: str | Path, root: str | Path, names: Iterable[str]) -> dict[str, Look]:
    """What stands for the content of each file, of which `made` is or will be made.

    How it looked when the record beside `made` first saw its content; else how it looks.
    """
    looks, known = dict(_looks(root, names)), Record.read(made)
    if known is None:
        return looks
    sizes = _sizes(known.looks)
    alike = {name: own for name, own in looks.items() if own and sizes.get(name) == own[0]}
    replaced = {*known.replaced(root, alike)}
    same = {name: known.first_look(name) for name in alike if name not in replaced}
    taken = known.taken({name: looks[name] for name in replaced}, {})
    if any(looks[name] != known.looks[name] for name in same):
        dated = {**known.looks, **{name: looks[name] for name in same}}
        first = known.first_dates(dated, dated)
        with suppress(OSError):  # as in `state_of`
            replace(known, root=str(root), looks=dated, glance="", first=first).write(made)
    return looks | same | taken


def _state_at(made: str | Path, glance: str) -> str | None:
    """The state of the record beside `made`, by its first line, if that is of this glance."""
    try:
        with _place(made).open() as lines:
            head = json.loads(next(lines, ""))
        return str(head["state"]) if head["glance"] == glance else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def records(folder: Path) -> Iterator[tuple[Path, Record]]:
    """Each file anywhere below `folder` that has a record, and this."""
    for place in sorted(folder.rglob(".*.json")):
        made = place.with_name(place.stem[1:])
        if made.is_file() and (record := Record.read(made)):
            yield made, record


def _looks(root: str | Path, names: Iterable[str]) -> Iterator[tuple[str, Look]]:
    """How files look from outside; none is opened."""
    start = os.path.join(root, "")  # to join each of millions of names takes longer than to look
    return ((name, _look(name if name.startswith("/") else start + name)) for name in names)


def _glance(looks: Iterable[tuple[str, Look]]) -> str:
    """Twelve hexadecimal digits that stand for names, sizes and dates."""
    digest = hashlib.sha256()
    for look in looks:
        digest.update(f"{look!a}".encode())
    return digest.hexdigest()[:12]


def _look(path: str) -> Look:
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # the latter for what can't be the name of a file
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _sizes(looks: Mapping[str, Look]) -> dict[str, int | None]:
    return {name: own and own[0] for name, own in looks.items()}


def _checksums(root: str | Path, names: Sequence[str], threads: int) -> dict[str, int | None]:
    size = min(_BATCH, ceil(len(names) / threads)) or 1
    batches = (names[start : start + size] for start in range(0, len(names), size))

    def of_batch(batch: Sequence[str]) -> list[int | None]:
        return [_checksum(os.path.join(root, name)) for name in batch]

    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(names, chain.from_iterable(pool.map(of_batch, batches)), strict=True))


def _checksum(path: str) -> int | None:
    try:
        if not os.path.isfile(path):  # a pipe may never end
            return None
        with open(path, "rb") as file:
            value = 0
            while chunk := file.read(_CHUNK):
                value = zlib.crc32(chunk, value)
            return value
    except (OSError, ValueError):
        return None


def _place(made: str | Path) -> Path:
    return Path(made).with_name(f".{Path(made).name}.json")


def digest_of(values: Mapping[str, object]) -> str:
    """Twelve hexadecimal digits that stand for named values, whatever their order."""
    text = json.dumps(sorted(values.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
