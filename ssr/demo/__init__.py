"""The demo's procedural world: scenes with exact masks, drawn from a seed alone.

In: a seed, and how strongly objects and backgrounds go together.
Out: images (112, 112, 3) uint8 with their masks, and the names of what they show.
"""

__all__ = ["scenes", "vocabulary"]
