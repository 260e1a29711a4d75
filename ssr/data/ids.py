"""What an image may be called: its id becomes the name of files and of entries in archives."""

from __future__ import annotations

import re

LONGEST = 200
"""Bytes; file systems allow 255, and names are made from ids by putting something around them."""

# What nearly all are called, of which a data set may have millions.
_USUAL = re.compile(rf"\w[\w.-]{{0,{LONGEST - 1}}}", re.ASCII)

ALLOWED = f"one to {LONGEST} bytes of printable characters, no slash, no dot or dash in front"


def is_plain(name: str) -> bool:
    """Whether a name can become that of a file in any folder, and of no file elsewhere.

    Not printable are, among others, line breaks, NUL, and characters that turn the direction of
    writing or have no width.
    """
    return bool(_USUAL.fullmatch(name)) or (
        name.isprintable()
        and not name.startswith((".", "-"))
        and not set(name) & set("/\\")
        and 0 < len(name.encode(errors="replace")) <= LONGEST
    )
