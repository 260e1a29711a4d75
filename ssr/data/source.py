"""What every format tells about a data set."""

from __future__ import annotations

from dataclasses import dataclass

# Also the order of the splits in the index.
SPLITS = ("train", "tune", "val", "test")


@dataclass(frozen=True)
class Source:
    """Where an image lies, relative to the root of the data set, and the names of its labels."""

    image: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """What tells about an image: files, relative to the root, and its row in a table of all."""

    files: tuple[str, ...]
    labels: tuple[str, ...] = ()
