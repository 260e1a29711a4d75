"""Which masks there are, what their pixels mean, and whether they serve."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ssr.config import Data
from ssr.data.images import load_image, open_image
from ssr.data.pngs import read_labels
from ssr.data.splits import split_ids
from ssr.errors import InputError
from ssr.labels import IGNORE

# Masks that are looked at, spread over all of them, and colours that are named.
_LOOKED_AT, _NAMED = 20, 8
_BLACK, _WHITE = 0x000000, 0xFFFFFF
# One in so many images of train chooses the threshold, where nobody has said which.
_TUNE_SHARE = 10


def with_masks(values: dict[str, Any], folder: str, doubts: list[str]) -> dict[str, Any]:
    """`values` of the section data, with the masks of a folder below its root if they serve.

    Why they don't is added to `doubts`.
    """
    place = Path(values["root"], folder)
    masks = sorted(place.glob("*.png"))
    if not masks:
        if place.is_dir() and any(place.iterdir()):
            doubts.append(f"{place} has no mask: they are called {{image without suffix}}.png")
        return values | {"masks": None}
    try:
        own = {"masks": folder, **_colours(masks, values["classes"])}
        served = with_tune(values | own, {path.stem for path in masks})
    except InputError as error:
        doubts.append(f"{len(masks)} masks in {place} are not used: {error}")
        return values | {"masks": None}
    if "mask_colours" not in served and len(served["classes"]) > 1:
        doubts.append(
            "data.classes are sorted by name; is that the order of the indices in the masks?"
        )
    return served


def with_tune(values: dict[str, Any], masked: Collection[str] | None = None) -> dict[str, Any]:
    """`values` of the section data, with images whose masks choose the threshold.

    `masked` are the ids that have a mask; None: all.

    Raises:
        InputError: tune or val, whose masks give the figures, has no image, or some have no mask.
    """
    ids = split_ids(Data(**values))
    if not ids["tune"]:
        values = values | {"tune_images": max(1, len(ids["train"]) // _TUNE_SHARE)}
        ids = split_ids(Data(**values))
    for split in ("tune", "val"):
        if not ids[split]:
            raise InputError(f"no image is in {split}")
        if masked is not None and (lacking := [i for i in ids[split] if i not in masked]):
            raise InputError(f"{len(lacking)} images of {split} have none, such as {lacking[0]}")
    return values


def _colours(masks: Sequence[Path], classes: Sequence[str]) -> dict[str, Any]:
    """What colours mean, if that is clear: nothing needs to be said of indices.

    Raises:
        InputError: they are in colours of which nobody has said what they mean.
    """
    looked_at = masks[:: -(-len(masks) // _LOOKED_AT)]
    found = set().union(*map(_colours_of, looked_at))
    if not found:
        return {}
    if len(classes) == 1 and found <= {_BLACK, _WHITE}:
        colours = {"background": f"#{_BLACK:06x}", classes[0]: f"#{_WHITE:06x}"}
        return {"mask_colours": colours}
    named = ", ".join(f"#{colour:06x}" for colour in sorted(found)[:_NAMED])
    more = ", …" * (len(found) > _NAMED)
    raise InputError(f"say in data.mask_colours what their colours mean: {named}{more}")


def _colours_of(mask: Path) -> set[int]:
    """The colours 0xRRGGBB of a mask; none, if its pixels are indices.

    White in greyscale is that of a black and white picture, if it is alone: 255 among indices means
    what is ignored.
    """
    with open_image(mask) as image:
        indexed = image.mode in ("P", "L", "1")
    if indexed:
        values = set(np.unique(read_labels(mask)).tolist())
        return {_BLACK, _WHITE} if IGNORE in values and values <= {0, IGNORE} else set()
    red, green, blue = np.moveaxis(load_image(mask).astype(np.int64), -1, 0)
    return set(np.unique((red << 16) + (green << 8) + blue).tolist())
