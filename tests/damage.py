"""Damaging files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path


def flipped_bits(path: Path, times: int = 300) -> Iterator[None]:
    """The file with one bit flipped, each time another one; seeded."""
    content = path.read_bytes()
    generator = random.Random(0)
    for _ in range(times):
        flipped = bytearray(content)
        flipped[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        path.write_bytes(flipped)
        yield
