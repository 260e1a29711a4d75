"""Draws one object with anti-aliased edges, texture and shading into a scene.

The order of random draws is part of a scene's identity: do not reorder them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ssr.demo.animals import bird, cow, horse
from ssr.demo.furniture import bottle, chair, sofa
from ssr.demo.noise import Floats, noise
from ssr.demo.palette import palette
from ssr.demo.shapes import Part, Silhouette
from ssr.demo.vehicles import aeroplane, boat, bus, car
from ssr.demo.vocabulary import CLASSES, SIDE

SUPERSAMPLING = 2
SILHOUETTES: dict[str, Callable[[np.random.Generator], Silhouette]] = {
    "aeroplane": aeroplane,
    "bird": bird,
    "boat": boat,
    "bottle": bottle,
    "bus": bus,
    "car": car,
    "chair": chair,
    "cow": cow,
    "horse": horse,
    "sofa": sofa,
}


@dataclass(frozen=True)
class Placement:
    """Where an object stands: centre and half size in pixels; `depth` orders, -1 is in the air."""

    depth: float
    name: str
    x: float
    y: float
    half: float


@dataclass(frozen=True)
class _Window:
    """The part of the scene that an object can touch."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


def _pose(generator: np.random.Generator, silhouette: Silhouette, half: float) -> list[Part]:
    angle = silhouette.rotation
    flip = -1 if generator.random() < 0.5 else 1
    shear = generator.uniform(-0.12, 0.12)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = np.diag([generator.uniform(0.85, 1.15), generator.uniform(0.85, 1.15)])
    matrix = turn @ np.array([[flip, shear], [0, 1.0]]) @ stretch
    return [(corners @ matrix.T * half, colour) for corners, colour in silhouette.parts]


def _window(parts: list[Part], place: Placement) -> _Window:
    corners = np.concatenate([corners for corners, _ in parts])
    low, high = corners.min(0), corners.max(0)
    return _Window(
        max(int(np.floor(place.x + low[0])) - 1, 0),
        max(int(np.floor(place.y + low[1])) - 1, 0),
        min(int(np.ceil(place.x + high[0])) + 2, SIDE),
        min(int(np.ceil(place.y + high[1])) + 2, SIDE),
    )


def _rasterise(parts: list[Part], window: _Window, place: Placement) -> NDArray[np.uint8]:
    """Part index of every supersampled pixel, 0 outside of the object."""
    width, height = window.right - window.left, window.bottom - window.top
    canvas = Image.new("L", (width * SUPERSAMPLING, height * SUPERSAMPLING))
    pencil = ImageDraw.Draw(canvas)
    offset = np.array([place.x - window.left, place.y - window.top])
    for corners, colour in parts:
        points = ((corners + offset) * SUPERSAMPLING).tolist()
        pencil.polygon([tuple(point) for point in points], fill=colour)
    return np.asarray(canvas)


def _shrink(fine: Floats) -> Floats:
    height, width = fine.shape[0] // SUPERSAMPLING, fine.shape[1] // SUPERSAMPLING
    cells = fine.reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, -1)
    return np.asarray(cells.mean((1, 3)), np.float32)


def _shade(generator: np.random.Generator, colours: Floats) -> Floats:
    """Surface noise, light from one side and above, and stripes on one object in five."""
    height, width = colours.shape[:2]
    draw = generator.uniform
    kind = generator.choice(["mid", "fine", "low"])
    texture = noise(generator, kind, height, width) * draw(0.02, 0.10)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None] * draw(-0.12, 0.12)
    down = np.linspace(1, -1, height, dtype=np.float32)[:, None] * draw(0.0, 0.2)
    colours = colours * (1 + texture + (across + down))[..., None]
    if generator.random() < 0.2:
        rows, columns = np.mgrid[:height, :width]
        angle = draw(0, np.pi)
        wave = (columns * np.cos(angle) + rows * np.sin(angle)) * draw(0.7, 1.6)
        colours = colours * (1 + 0.18 * np.sign(np.sin(wave)))[..., None]
    return colours


def draw_object(
    generator: np.random.Generator, image: Floats, mask: NDArray[np.uint8], place: Placement
) -> None:
    """Paint an object into image (S, S, 3) float32 and mask (S, S) uint8, in place.

    Objects of which fewer than 4 rows or columns would be inside are left out.
    """
    parts = _pose(generator, SILHOUETTES[place.name](generator), place.half)
    window = _window(parts, place)
    if window.right - window.left < 4 or window.bottom - window.top < 4:
        return
    index = _rasterise(parts, window, place)
    cover = (index > 0).astype(np.float32)
    colours = palette(generator, place.name)[index] * cover[..., None]
    alpha = _shrink(cover)[..., 0]
    opaque = np.divide(_shrink(colours), np.maximum(alpha, 1e-3)[..., None], dtype=np.float32)
    colours = _shade(generator, opaque)
    view = image[window.slices]
    view[:] = view * (1 - alpha[..., None]) + colours * alpha[..., None]
    mask[window.slices][alpha >= 0.5] = CLASSES.index(place.name) + 1
