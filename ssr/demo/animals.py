"""Silhouettes of birds, cows and horses.

The order of random draws is part of a scene's identity: do not reorder them.
"""

import numpy as np

from ssr.demo.shapes import (
    ACCENT,
    BODY,
    DARK,
    LIGHT,
    SECOND,
    Part,
    Silhouette,
    ellipse,
    limb,
    polygon,
)


def _flying(generator: np.random.Generator, length: float) -> Silhouette:
    draw = generator.uniform
    side, span = generator.choice([-1, 1]), draw(0.5, 0.95)
    far = polygon((-0.1, 0), (-0.45, -side * span), (-0.1, -side * span * 0.75), (0.3, 0))
    parts: list[Part] = [
        (far, SECOND),
        (polygon((-0.5, 0), (-1, -0.2), (-0.95, 0.2)), SECOND),
        (ellipse(0, 0, length, 0.2), BODY),
    ]
    tip = (-0.2 + draw(-0.3, 0.3), side * draw(0.4, 0.9))
    parts.append((polygon((0.0, 0), tip, (0.15, side * 0.45), (0.3, 0)), SECOND))
    beak = polygon((length + 0.13, -0.15), (length + 0.42, -0.05), (length + 0.13, 0))
    parts += [(ellipse(length, -0.1, 0.18, 0.16), BODY), (beak, ACCENT)]
    parts.append((ellipse(length + 0.05, -0.13, 0.035, 0.04), DARK))
    return Silhouette(parts, draw(-0.5, 0.5))


def _standing(generator: np.random.Generator, length: float) -> Silhouette:
    lean = generator.uniform(-0.5, -0.1)
    parts: list[Part] = [
        (limb(-0.05, 0.3, -0.1, 0.95, 0.03), ACCENT),
        (limb(0.12, 0.3, 0.12, 0.95, 0.03), ACCENT),
        (polygon((-0.45, 0.1), (-1, 0.45), (-0.85, 0.05)), SECOND),
        (ellipse(0, 0, length, 0.36, lean), BODY),
        (ellipse(-0.08, 0.02, 0.4, 0.2, lean), SECOND),
        (ellipse(0.45, -0.45, 0.23, 0.22), BODY),
        (polygon((0.62, -0.52), (0.98, -0.4), (0.62, -0.34)), ACCENT),
        (ellipse(0.52, -0.48, 0.04, 0.045), DARK),
    ]
    return Silhouette(parts, generator.uniform(-0.12, 0.12))


def bird(generator: np.random.Generator) -> Silhouette:
    """Flying or standing."""
    length = generator.uniform(0.45, 0.62)
    pose = _flying if generator.random() < 0.55 else _standing
    return pose(generator, length)


def _cow_head(neck: float) -> list[Part]:
    return [
        (limb(0.55, -0.1, 0.8, neck - 0.2, 0.17, 0.12), BODY),
        (ellipse(0.85, neck - 0.18, 0.2, 0.15, 0.5), BODY),
        (ellipse(0.97, neck - 0.08, 0.09, 0.09), ACCENT),
        (polygon((0.72, neck - 0.3), (0.66, neck - 0.52), (0.8, neck - 0.33)), LIGHT),
        (polygon((0.85, neck - 0.32), (0.95, neck - 0.52), (0.95, neck - 0.27)), LIGHT),
    ]


def cow(generator: np.random.Generator) -> Silhouette:
    """Heavy body with patches and horns."""
    draw = generator.uniform
    depth, neck = draw(0.3, 0.38), draw(-0.25, 0.45)
    parts: list[Part] = [
        (limb(x, 0.2, x + draw(-0.08, 0.08), 0.8, 0.085, 0.07), BODY)
        for x in (-0.55, -0.38, 0.3, 0.48)
    ]
    back = (-0.75, -depth), (-0.3, -depth - 0.04), (0.6, -depth), (0.72, 0.05)
    body = polygon(*back, (0.5, depth), (-0.6, depth), (-0.8, 0.1))
    parts += [(limb(-0.72, -0.15, -0.85, 0.4, 0.03), BODY), (body, BODY)]
    for _ in range(int(generator.integers(1, 5))):
        centre = draw(-0.5, 0.4), draw(-0.2, 0.15)
        spot = ellipse(*centre, draw(0.08, 0.2), draw(0.06, 0.14), draw(0, 3))
        parts.append((spot, SECOND))
    parts += _cow_head(neck)
    if generator.random() < 0.5:
        parts.append((ellipse(-0.3, depth + 0.03, 0.13, 0.09), ACCENT))
    return Silhouette(parts, draw(-0.08, 0.08))


def horse(generator: np.random.Generator) -> Silhouette:
    """Slim body, long legs and neck; some dappled, some saddled."""
    draw = generator.uniform
    depth, neck = draw(0.2, 0.27), draw(-0.9, -0.55)
    parts: list[Part] = [
        (limb(x, 0.1, x + draw(-0.2, 0.2), 0.95, 0.075, 0.05), BODY)
        for x in (-0.5, -0.36, 0.3, 0.42)
    ]
    tail = polygon((-0.6, -0.2), (-0.75, -0.1), (-0.95, 0.5), (-0.8, 0.5), (-0.6, 0.05))
    parts += [(tail, SECOND), (ellipse(-0.05, -0.02, 0.6, depth), BODY)]
    parts.append((limb(0.35, -0.05, 0.66, neck + 0.12, 0.17, 0.1), BODY))
    parts.append((limb(0.62, neck + 0.08, 0.95, neck + 0.33, 0.11, 0.07), BODY))
    mane = polygon((0.2, -0.2), (0.5, neck), (0.62, neck - 0.02), (0.42, -0.1))
    ear = polygon((0.6, neck), (0.62, neck - 0.16), (0.7, neck + 0.02))
    parts += [(mane, SECOND), (ear, BODY)]
    if generator.random() < 0.3:
        for _ in range(int(generator.integers(1, 4))):
            centre = draw(-0.45, 0.3), draw(-0.12, 0.1)
            parts.append((ellipse(*centre, draw(0.06, 0.16), draw(0.05, 0.1)), SECOND))
    if generator.random() < 0.3:
        saddle = polygon((-0.15, -0.26), (0.2, -0.26), (0.15, 0.02), (-0.1, 0.02))
        parts.append((saddle, ACCENT))
    return Silhouette(parts, draw(-0.1, 0.1))
