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
