"""Garbage: searched for seldom, and not at the end.

Python searches each time that some hundred more objects live than before, and once more when it
ends. What torch, mmsegmentation or Snakemake make at import are hundreds of thousands, and they
live to the end: half of a light program's time went into these searches.
"""

from __future__ import annotations

import atexit
import gc

_NEW_OBJECTS = 100_000


def search_seldom() -> None:
    """Search for garbage once in so many new objects, and not at the end of the process.

    Memory is given back as before but for objects that refer to one another in a circle.
    """
    gc.set_threshold(_NEW_OBJECTS)
    atexit.register(gc.freeze)
