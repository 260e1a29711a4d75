"""What is made of opened results, made anew when a run changed what it rests on."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from ssr.config.coverage import FOLDERS, IMPORTED
from ssr.errors import InputError
from ssr.results import Results, open_results

Made = TypeVar("Made")

# A run records its settings when it starts, and makes these tables when their files changed.
_READ_ONCE = ("logs/config.json", "index/index.parquet", "index/masks.parquet")
# A folder changes when a file appears in it, or takes the place of another.
_STAGES = (*FOLDERS.values(), IMPORTED, "evaluation/*", "prototypes")
_JOURNALS = "logs/runs/*"


class Renewed(Generic[Made]):
    """What `make` makes of results, for as long as their settings, images and masks stay the same.

    Stores are opened when they are read, and need none of this.
    """

    def __init__(self, results: Results, make: Callable[[Results], Made]) -> None:
        self._results, self._make = results, make
        self._seen, self._made = self._look(), make(results)

    def __call__(self) -> Made:
        """What is made of the results as they are now, or were before they can't be opened."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._made = self._make(open_results(self._results.folder))
            except InputError as error:
                print(f"warning: the page stays as it was: {error}", file=sys.stderr)
        return self._made

    def _look(self) -> list[int | None]:
        return [written(self._results.folder / name) for name in _READ_ONCE]


def stamp(folder: Path) -> str:
    """A text that is another whenever a run began, made or failed to make something in `folder`."""
    patterns = (*(f"{name}/*" for name in _STAGES), _JOURNALS)
    made = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    told = [(str(path), written(path)) for path in (*made, *(folder / name for name in _READ_ONCE))]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def written(path: Path) -> int | None:
    """When a file was written, in nanoseconds; None: there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
