"""Polygons that silhouettes are made of, in object coordinates (x right, y down, about -1..1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Polygon = NDArray[np.float64]
# colours of a part, as indices into a palette
BODY, SECOND, DARK, LIGHT, ACCENT = 1, 2, 3, 4, 5
Part = tuple[Polygon, int]
_CIRCLE = np.linspace(0, 2 * np.pi, 20, endpoint=False)


@dataclass(frozen=True)
class Silhouette:
    """Parts from back to front, and a rotation in radians."""

    parts: list[Part]
    rotation: float


def polygon(*points: tuple[float, float]) -> Polygon:
    """Corners as (n, 2)."""
    return np.array(points, float)


def ellipse(x: float, y: float, radius_x: float, radius_y: float, rotation: float = 0.0) -> Polygon:
    """Ellipse as 20 corners, (20, 2)."""
    across, down = radius_x * np.cos(_CIRCLE), radius_y * np.sin(_CIRCLE)
    cosine, sine = np.cos(rotation), np.sin(rotation)
    return np.stack([x + cosine * across - sine * down, y + sine * across + cosine * down], 1)


def rectangle(left: float, top: float, right: float, bottom: float) -> Polygon:
    """Axis-parallel rectangle, (4, 2)."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def limb(
    x0: float, y0: float, x1: float, y1: float, width: float, end_width: float | None = None
) -> Polygon:
    """Bar from one point to another, half-widths at both ends, (4, 2)."""
    end_width = width if end_width is None else end_width
    along = np.array([x1 - x0, y1 - y0])
    normal = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-6)
    start, end = np.array((x0, y0)), np.array((x1, y1))
    corners = [start + normal * width, end + normal * end_width]
    corners += [end - normal * end_width, start - normal * width]
    return np.array(corners)


def wheels(positions: tuple[float, ...], height: float, radius: float) -> list[Part]:
    """Dark wheels with light hubs."""
    parts: list[Part] = []
    for x in positions:
        parts.append((ellipse(x, height, radius, radius), DARK))
        parts.append((ellipse(x, height, radius * 0.45, radius * 0.45), LIGHT))
    return parts
