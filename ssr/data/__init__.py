"""Data sets: which images there are, in which split, with which labels and masks.

In: a folder in one of four formats (demo, folder, voc, coco) and the section `data`.
Out: the index, one row per image, checked before any expensive job; images as the networks take
them; label maps as palette PNGs; CAMs that another system saved. Masks are read by evaluation and
report alone (`masks`).
"""

__all__ = [
    "check",
    "coco",
    "findings",
    "folder",
    "foreign",
    "foreign_predictions",
    "ids",
    "images",
    "index",
    "instances",
    "label_files",
    "label_maps",
    "make_demo",
    "masks",
    "originals",
    "outlines",
    "pngs",
    "sightings",
    "source",
    "splits",
    "tables",
    "texts",
]
