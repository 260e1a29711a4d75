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
from dataclasses import dataclass
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

    `state` is the text that stood for them, as `state_of` gave it.
    """

    state: str
    root: str
    looks: Mapping[str, Look]
    checksums: Mapping[str, int | None]

    @classmethod
    def of(cls, state: str, root: str | Path, names: Iterable[str], threads: int) -> Self:
        """Look at files and read them."""
        looks = _looks(root, names)
        return cls(state, str(root), looks, _checksums(root, [*looks], threads))

    @classmethod
    def read(cls, made: str | Path) -> Self | None:
        """The record beside a file that was made, if there is a sound one."""
        try:
            content = json.loads(_place(made).read_text())
            files = content["files"].items()
            looks = {name: (own[0], own[1]) if own else None for name, own in files}
            checksums = {name: own[2] if own else None for name, own in files}
            return cls(content["state"], content["root"], looks, checksums)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def write(self, made: str | Path) -> None:
        """Keep it beside the file that is made."""
        sums = self.checksums
        files = {name: own and (*own, sums[name]) for name, own in self.looks.items()}
        content = {"state": self.state, "root": self.root, "files": files}
        with replacing(_place(made)) as temporary:
            temporary.write_text(json.dumps(content, separators=(",", ":")))

    @property
    def contents(self) -> str:
        """Twelve hexadecimal digits that stand for the names and contents of the files."""
        return _digest(self.checksums)

    def changed(self) -> Iterator[tuple[str, bool]]:
        """Path of each file whose content is another now, and whether only a look inside tells."""
        looks = _looks(self.root, self.looks)
        for name in self._others([*self.looks], self.root):
            yield os.path.join(self.root, name), looks[name] == self.looks[name]

    def holds(self, root: str | Path, looks: Mapping[str, Look]) -> bool:
        """Whether files that look so, below `root`, have the content of those that were seen.

        Only those that differ in nothing but their date are read.
        """
        if looks == self.looks:
            return True
        if _sizes(looks) != _sizes(self.looks):
            return False
        doubtful = [name for name, own in looks.items() if own != self.looks[name]]
        if len(doubtful) > _MANY:
            print(f"comparing {len(doubtful)} files of another date in {root}", file=sys.stderr)
        return not self._others(doubtful, root)

    def _others(self, names: Sequence[str], root: str | Path) -> list[str]:
        found = _checksums(root, names, os.cpu_count() or 1)
        return [name for name in names if found[name] != self.checksums[name]]


def state_of(made: str | Path, root: str | Path, names: Iterable[str]) -> str:
    """A text that stands for the contents of files, of which `made` is or will be made.

    It is that of the record beside `made` as long as all files have their content; else, or without
    a record, another one, which follows from their sizes and dates.
    """
    looks, known = _looks(root, names), Record.read(made)
    if known and known.holds(root, looks):
        if looks != known.looks:
            with suppress(OSError):  # where nothing can be written, they are compared again
                Record(known.state, str(root), looks, known.checksums).write(made)
        return known.state
    return f"files {_digest(looks)}"


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


def _sizes(looks: Mapping[str, Look]) -> dict[str, int | None]:
    return {name: own and own[0] for name, own in looks.items()}


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


def _digest(values: Mapping[str, object]) -> str:
    text = json.dumps(sorted(values.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
