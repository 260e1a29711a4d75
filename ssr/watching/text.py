"""What programs print, as a terminal can show it beside other things."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate

# Colours, moves of the cursor, titles of windows: the sequences of ECMA-48 that begin with ESC, or
# with the one character that stands for ESC and another.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # of parameters
    r"|(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x9c|\x1b\\|$)"  # of text
    r"|\x1b[ -/]*[0-~]?"
)
_TAB = " " * 4
# Control characters, and those of format, such as turns of direction: none has a width of its own.
_UNSEEN = {"Cc", "Cf"}
_COMBINING = {"Mn", "Me"}
# To this Python: what is younger than its tables is most often an emoji.
_UNKNOWN = "Cn"
# After an emoji or a sign, they choose between its forms of one column and of two.
_SELECTORS = range(0xFE00, 0xFE10)


def plain(text: str) -> str:
    """A line without what would colour a terminal, move its cursor or turn its direction."""
    return "".join(_seen(_SEQUENCE.sub("", text).replace("\t", _TAB))).rstrip()


def cut(text: str, columns: int) -> str:
    """As much of a plain line as fits into `columns` of a terminal."""
    ends = accumulate(map(_width, text))
    return "".join(sign for sign, end in zip(text, ends, strict=True) if end <= columns)


def _seen(text: str) -> Iterator[str]:
    for sign in text:
        if unicodedata.category(sign) not in _UNSEEN and ord(sign) not in _SELECTORS:
            yield sign


def _width(sign: str) -> int:
    """How many columns a character takes: East Asian ones and emoji two, combining marks none."""
    kind = unicodedata.category(sign)
    if kind in _COMBINING:
        return 0
    return 2 if kind == _UNKNOWN or unicodedata.east_asian_width(sign) in "WF" else 1
