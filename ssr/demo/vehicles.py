"""Silhouettes of aeroplanes, boats, buses and cars.

The order of random draws is part of a scene's identity: do not reorder them.
"""

from itertools import pairwise

import numpy as np

from ssr.demo.shapes import (
    ACCENT,
    BODY,
    DARK,
    LIGHT,
    SECOND,
    Part,
    Polygon,
    Silhouette,
    ellipse,
    limb,
    polygon,
    rectangle,
    wheels,
)


def _aeroplane_side(generator: np.random.Generator, thickness: float) -> list[Part]:
    draw = generator.uniform
    sweep = draw(0.1, 0.5)
    parts: list[Part] = [
        (polygon((-0.95, -0.05), (-0.75, -0.6), (-0.55, -0.6), (-0.45, 0)), SECOND),
        (ellipse(0, 0, 1, thickness), BODY),
        (polygon((-0.95, -0.05), (-1.0, -0.25), (-0.7, -0.22), (-0.55, 0)), SECOND),
    ]
    tips = (-0.05 - sweep, draw(0.45, 0.7)), (-0.3 - sweep, draw(0.45, 0.7))
    parts.append((polygon((0.25, 0.05), *tips, (-0.15, 0.05)), SECOND))
    if generator.random() < 0.7:
        tips = (0 - sweep * 0.6, -0.45), (-0.2 - sweep * 0.6, -0.45)
        parts.append((polygon((0.2, -0.1), *tips, (-0.1, -0.1)), SECOND))
    for x in np.linspace(-0.5, 0.6, int(generator.integers(4, 8))):
        parts.append((ellipse(x, -0.04, 0.035, 0.04), LIGHT))
    parts.append((polygon((0.75, -0.1), (0.9, -0.07), (0.93, 0), (0.76, 0)), LIGHT))
    if generator.random() < 0.6:
        parts.append((ellipse(draw(-0.1, 0.2), 0.28, 0.14, 0.08), DARK))
    return parts


def _aeroplane_top(generator: np.random.Generator, thickness: float) -> list[Part]:
    sweep = generator.uniform(0.15, 0.55)
    span = generator.uniform(0.75, 1.0)
    parts: list[Part] = []
    for side in (1, -1):
        tips = (0.1 - sweep, side * span), (-0.1 - sweep, side * span)
        parts.append((polygon((0.3, 0), *tips, (-0.15, 0)), SECOND))
    for side in (1, -1):
        tips = (-0.95, side * 0.35), (-1.02, side * 0.35)
        parts.append((polygon((-0.7, 0), *tips, (-0.95, 0)), SECOND))
    parts.append((ellipse(0, 0, 1, thickness * 0.75), BODY))
    parts.append((ellipse(0.75, 0, 0.1, 0.06), LIGHT))
    for y in (0.4, -0.4):
        parts.append((ellipse(0.05 - sweep * 0.4, y, 0.12, 0.05), DARK))
    return parts


def aeroplane(generator: np.random.Generator) -> Silhouette:
    """From the side or from above."""
    thickness = generator.uniform(0.13, 0.22)
    view = _aeroplane_side if generator.random() < 0.6 else _aeroplane_top
    return Silhouette(view(generator, thickness), generator.uniform(-0.5, 0.5))


def _sails(generator: np.random.Generator) -> list[Part]:
    draw = generator.uniform
    mast = draw(-0.15, 0.15)
    boom = polygon((mast + 0.06, -0.95), (mast + 0.06, 0.2), (draw(0.5, 0.9), 0.2))
    parts: list[Part] = [(rectangle(mast - 0.03, -1, mast + 0.03, 0.4), DARK), (boom, LIGHT)]
    if generator.random() < 0.7:
        jib = polygon((mast - 0.06, -0.8), (mast - 0.06, 0.2), (-draw(0.4, 0.75), 0.2))
        parts.append((jib, LIGHT if generator.random() < 0.6 else ACCENT))
    return parts


def _cabin(generator: np.random.Generator) -> list[Part]:
    height = generator.uniform(0.25, 0.6)
    right = generator.uniform(0.1, 0.45)
    parts: list[Part] = [(rectangle(-0.45, 0.3 - height, right, 0.35), SECOND)]
    for x in np.arange(-0.38, 0.1, 0.22):
        window = rectangle(x, 0.3 - height * 0.75, x + 0.13, 0.3 - height * 0.35)
        parts.append((window, DARK))
    if generator.random() < 0.6:
        parts.append((rectangle(-0.3, -0.2 - height, -0.12, 0.32 - height), ACCENT))
    return parts


def boat(generator: np.random.Generator) -> Silhouette:
    """Sailing boat, motor boat or rowing boat."""
    draw = generator.uniform
    kind, bottom = generator.random(), draw(0.5, 0.75)
    rims = (-1, draw(0.2, 0.35)), (1, draw(0.1, 0.35))
    hull: Part = (polygon(*rims, (bottom, 0.75), (-bottom, 0.75)), BODY)
    if kind < 0.5:
        parts = [*_sails(generator), hull]
    elif kind < 0.85:
        parts = [*_cabin(generator), hull]
    else:
        parts = [hull, (rectangle(-0.5, 0.3, -0.35, 0.45), SECOND)]
        parts += [
            (limb(-0.1, 0.3, -0.7, 0.85, 0.03), DARK),
            (limb(0.3, 0.3, 0.8, 0.85, 0.03), DARK),
        ]
    if generator.random() < 0.6:
        stripe = polygon((-0.93, 0.4), (0.9, 0.38), (0.86, 0.47), (-0.88, 0.5))
        parts.append((stripe, ACCENT))
    return Silhouette(parts, draw(-0.1, 0.1))


def bus(generator: np.random.Generator) -> Silhouette:
    """Long box with a row of windows, some with two decks, some with three wheels."""
    draw = generator.uniform
    top = draw(-0.75, -0.5)
    corners = (-1.0, top + 0.08), (-0.92, top), (0.92, top), (1.0, top + 0.08)
    parts: list[Part] = [(polygon(*corners, (1.0, 0.42), (-1.0, 0.42)), BODY)]
    count = int(generator.integers(4, 7))
    edges = np.linspace(-0.88, 0.62, count + 1)
    height = draw(0.25, 0.38)
    for left, right in pairwise(edges):
        parts.append((rectangle(left, top + 0.14, right - 0.05, top + 0.14 + height), LIGHT))
    if generator.random() < 0.6:
        parts.append((rectangle(-1.0, draw(0.02, 0.2), 1.0, draw(0.22, 0.3)), SECOND))
    if generator.random() < 0.35:
        low, high = top + 0.2 + height, top + 0.28 + height * 1.4
        for left, right in pairwise(edges):
            parts.append((rectangle(left, low, right - 0.05, high), LIGHT))
    door = rectangle(0.68, top + 0.14, 0.9, 0.38)
    parts.append((door, LIGHT if generator.random() < 0.5 else SECOND))
    axles = (-0.6, 0.5) if generator.random() < 0.7 else (-0.68, -0.4, 0.5)
    parts += wheels(axles, 0.42, draw(0.15, 0.2))
    return Silhouette(parts, draw(-0.08, 0.08))


def _car_cabin(kind: float, top: float) -> tuple[Polygon, list[Polygon]]:
    low, glass = -0.04, top + 0.09
    if kind < 0.45:
        cabin = polygon((-0.7, 0), (-0.42, top), (0.25, top), (0.6, 0))
        rear = polygon((-0.55, low), (-0.38, glass), (-0.1, glass), (-0.1, low))
        return cabin, [rear, polygon((-0.03, low), (-0.03, glass), (0.2, glass), (0.46, low))]
    if kind < 0.7:  # a van, which looks like a bus
        cabin = polygon((-0.98, 0), (-0.9, top - 0.12), (0.3, top - 0.12), (0.65, 0))
        panes = [rectangle(-0.85, top, -0.5, -0.06), rectangle(-0.42, top, -0.05, -0.06)]
        return cabin, [*panes, polygon((0.03, -0.06), (0.03, top), (0.25, top), (0.5, -0.06))]
    glass = top + 0.08
    if kind < 0.87:  # a pick-up
        cabin = polygon((-0.1, 0), (0, top), (0.4, top), (0.65, 0))
        return cabin, [polygon((0.05, low), (0.08, glass), (0.35, glass), (0.52, low))]
    cabin = polygon((-0.85, 0), (-0.65, top), (0.1, top), (0.45, 0))
    return cabin, [polygon((-0.7, low), (-0.58, glass), (0.05, glass), (0.3, low))]


def car(generator: np.random.Generator) -> Silhouette:
    """Saloon, van, pick-up or hatchback."""
    draw = generator.uniform
    kind, top = generator.random(), draw(-0.5, -0.32)
    cabin, panes = _car_cabin(kind, top)
    parts: list[Part] = [(cabin, BODY if generator.random() < 0.7 else SECOND)]
    chassis = polygon((-1, 0.0), (0.7, -0.02), (0.97, 0.12), (1, 0.4), (-1, 0.4))
    parts += [(chassis, BODY), *((pane, LIGHT) for pane in panes)]
    parts.append((rectangle(0.88, 0.14, 0.99, 0.24), ACCENT))
    parts.append((rectangle(-1, 0.1, -0.93, 0.22), ACCENT))
    if generator.random() < 0.4:
        parts.append((rectangle(-1, 0.28, 1, 0.4), SECOND))
    parts += wheels((-0.58, 0.58), 0.4, draw(0.19, 0.26))
    return Silhouette(parts, draw(-0.1, 0.1))
