"""Pictures of what every stage made of an image.

Colours are told apart by colour-blind readers, too: classes in those of Okabe and Ito (2008), maps
in Matplotlib's inferno.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from ssr.labels import BACKGROUND, IGNORE
from ssr.report.shown import ShownImage
from ssr.report.stages import in_order

OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999")

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Panel:
    """One picture, (H, W, 3) uint8; `class_index` is None where it shows all classes at once."""

    name: str
    class_index: int | None
    picture: Picture


def panels(shown: ShownImage) -> list[Panel]:
    """All pictures of an image, `in_order`; stages that have not run are left out."""
    drawn = [*_panels(shown)]
    order = in_order(panel.name for panel in drawn)
    return sorted(drawn, key=lambda panel: order.index(panel.name))


def class_colours(shown: ShownImage) -> dict[int, str]:
    """A colour for every class in one of the label maps, those of the image's labels first."""
    found = {int(value) for labels in shown.labels.values() for value in np.unique(labels)}
    others = sorted(found - set(shown.classes) - {BACKGROUND, IGNORE})
    order = [*shown.classes, *others]
    return {index: OKABE_ITO[place % len(OKABE_ITO)] for place, index in enumerate(order)}


def _panels(shown: ShownImage) -> Iterator[Panel]:
    yield Panel("image", None, shown.pixels)
    if shown.regions is not None and shown.superpixels is not None:
        yield Panel("regions", None, draw_regions(shown.pixels, shown.superpixels, shown.regions))
    for row, index in enumerate(shown.classes):
        for stage, cams in shown.cams.items():
            yield Panel(stage, index, draw_map(shown.pixels, cams[row]))
        if shown.target is not None:
            yield Panel("target", index, draw_mask(shown.pixels, shown.target[row]))
    colours = class_colours(shown)
    for stage, labels in shown.labels.items():
        yield Panel(stage, None, draw_labels(shown.pixels, labels, colours))


def draw_map(pixels: Picture, cam: NDArray[np.float32]) -> Picture:
    """Activation (H, W) in [0, 1] in colour over the image in grey."""
    colours = mpl.colormaps["inferno"](cam)[..., :3]
    return _bytes(0.3 * _grey(pixels) + 0.7 * colours)


def draw_mask(pixels: Picture, mask: NDArray[np.bool_]) -> Picture:
    """The image where `mask` (H, W) is on, nearly black where it is off, with an orange border."""
    lit = np.where(mask[..., None], pixels / 255, 0.22 * _grey(pixels))
    lit[borders(mask)] = _rgb(OKABE_ITO[0])
    return _bytes(lit)


def draw_regions(pixels: Picture, superpixels: NDArray, regions: NDArray) -> Picture:
    """Each colour region in its mean colour, the borders of the superpixels as thin dark lines."""
    flat = regions.ravel()
    sums = [np.bincount(flat, weights=channel) for channel in pixels.reshape(-1, 3).T]
    means = np.stack(sums, axis=1) / np.maximum(np.bincount(flat), 1)[:, None]  # (R, 3)
    filled = means[regions] / 255
    filled[borders(superpixels)] *= 0.72
    return _bytes(filled)


def draw_labels(pixels: Picture, labels: NDArray, colours: dict[int, str]) -> Picture:
    """Classes in their colours over the image in grey; ignored pixels are hatched."""
    grey = _grey(pixels)
    drawn = 0.7 * grey
    for index, colour in colours.items():
        mine = labels == index
        drawn[mine] = 0.25 * grey[mine] + 0.75 * _rgb(colour)
    height, width = labels.shape
    stripes = (np.arange(height)[:, None] + np.arange(width)) % 8 < 3
    drawn[(labels == IGNORE) & stripes] = 1
    drawn[borders(labels)] = 1
    return _bytes(drawn)


def borders(labels: NDArray) -> NDArray[np.bool_]:
    """Pixels (H, W) whose right or lower neighbour has another label."""
    edge = np.zeros(labels.shape, bool)
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    edge[:-1] |= labels[:-1] != labels[1:]
    return edge


def _grey(pixels: Picture) -> NDArray[np.float64]:
    """Brightness (H, W, 3) in [0, 1] (Rec. 601)."""
    brightness = pixels @ np.array([0.299, 0.587, 0.114]) / 255
    return np.repeat(brightness[..., None], 3, axis=-1)


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array(mpl.colors.to_rgb(colour))


def _bytes(picture: NDArray[np.float64]) -> Picture:
    return cast(Picture, (255 * picture.clip(0, 1)).round().astype(np.uint8))
