"""Label Studio's brush strokes: run lengths of the bytes of an RGBA picture, packed bit by bit.

The form is rle-pack's (https://github.com/thi-ng/umbrella/tree/develop/packages/rle-pack). A head
has the number of words in 32 bits, the bits of a word less one in 5, and the bits of four kinds of
counts, each less one, in 4 bits. Then come runs: whether all words are the same in 1 bit, the kind
of its count in 2 bits, the count less one, and the one word or all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = 8
_COUNTS = (3, 4, 8, 16)
_CHANNELS = 4
_OPAQUE = 255


def encode(pixels: NDArray[np.bool_]) -> list[int]:
    """The bytes of painted pixels (H, W), which are white and opaque; others are clear."""
    flat = pixels.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=~flat[:1]))
    lengths = np.diff(starts, append=flat.size) * _CHANNELS
    bits = [f"{flat.size * _CHANNELS:032b}{_WORD - 1:05b}"]
    bits += [f"{count - 1:04b}" for count in _COUNTS]
    for painted, length in zip(flat[starts].tolist(), lengths.tolist(), strict=True):
        bits += _runs(length, _OPAQUE * painted)
    text = "".join(bits)
    return [int(text[place : place + 8].ljust(8, "0"), 2) for place in range(0, len(text), 8)]


def _runs(length: int, word: int) -> list[str]:
    longest = 1 << _COUNTS[-1]
    lengths = [longest] * (length // longest) + [length % longest] * (length % longest > 0)
    return [_run(each, word) for each in lengths]


def _run(length: int, word: int) -> str:
    kind = next(kind for kind, bits in enumerate(_COUNTS) if length <= 1 << bits)
    return f"1{kind:02b}{length - 1:0{_COUNTS[kind]}b}{word:0{_WORD}b}"


def decode(content: Sequence[int], height: int, width: int) -> NDArray[np.bool_]:
    """The painted pixels (height, width): those that are not quite clear.

    Raises:
        ValueError: these are no such bytes, or of a picture of another size.
    """
    bits = _Bits(content)
    words, word = bits.number(32), bits.number(5) + 1
    counts = [bits.number(4) + 1 for _ in range(4)]
    if word != _WORD or words != height * width * _CHANNELS:
        raise ValueError(f"wanted {height}×{width} pixels of four bytes, came {words} words")
    values = np.zeros(words, np.uint8)
    place = 0
    while place < words:
        same = bits.number(1)
        end = place + 1 + bits.number(counts[bits.number(2)])
        if end > words:
            raise ValueError("a run goes beyond the picture")
        values[place:end] = bits.number(_WORD) if same else bits.words(end - place)
        place = end
    return values.reshape(height, width, _CHANNELS)[..., -1] > 0


class _Bits:
    """Bits of bytes, read from the first on."""

    def __init__(self, content: Sequence[int]) -> None:
        self._text = "".join(f"{byte:08b}" for byte in bytes(content))
        self._place = 0

    def number(self, bits: int) -> int:
        """The next so many bits as a number."""
        text = self._text[self._place : self._place + bits]
        if len(text) < bits:
            raise ValueError("it is cut short")
        self._place += bits
        return int(text, 2)

    def words(self, count: int) -> list[int]:
        """The next so many words."""
        return [self.number(_WORD) for _ in range(count)]
