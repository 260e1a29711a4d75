"""Silhouettes of bottles, chairs and sofas.

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
    Silhouette,
    limb,
    polygon,
    rectangle,
)


def bottle(generator: np.random.Generator) -> Silhouette:
    """Upright, now and then lying."""
    draw = generator.uniform
    half = draw(0.24, 0.4)
    neck = half * draw(0.3, 0.5)
    shoulder = draw(-0.45, -0.15)
    left = (-half, shoulder + 0.25), (-neck, shoulder), (-neck, -0.85)
    right = (neck, -0.85), (neck, shoulder), (half, shoulder + 0.25)
    glass = polygon(*left, *right, (half, 0.95), (-half, 0.95))
    cork = rectangle(-neck * 1.15, -1, neck * 1.15, -0.83)
    parts: list[Part] = [(glass, BODY), (cork, ACCENT)]
    if generator.random() < 0.75:
        top = draw(0.1, 0.35)
        parts.append((rectangle(-half, top, half, top + draw(0.2, 0.45)), SECOND))
    parts.append((rectangle(-half * 0.7, shoulder + 0.3, -half * 0.5, 0.8), LIGHT))
    lying = generator.random() >= 0.85
    return Silhouette(parts, draw(1.3, 1.8) if lying else draw(-0.15, 0.15))


def _padded_back(half: float, seat: float) -> list[Part]:
    back = polygon((-half, -0.75), (half, -0.75), (half, seat), (-half, seat))
    return [
        (back, SECOND),
        (rectangle(-half - 0.14, -0.25, -half + 0.08, seat + 0.2), BODY),
        (rectangle(half - 0.08, -0.25, half + 0.14, seat + 0.2), BODY),
        (rectangle(-half, seat - 0.08, half, seat + 0.22), SECOND),
    ]


def _wooden_back(
    generator: np.random.Generator, half: float, bar: float, skew: float, seat: float
) -> list[Part]:
    draw = generator.uniform
    top, edge = draw(-1, -0.75), half - bar
    parts: list[Part] = [(limb(x, seat, x + skew, top, bar), BODY) for x in (-edge, edge)]
    parts.append((rectangle(-half + skew, top, half + skew, top + 0.18), BODY))
    if generator.random() < 0.5:
        for x in np.linspace(-half + 0.2, half - 0.2, int(generator.integers(2, 4))):
            parts.append((limb(x, seat, x + skew, top + 0.1, 0.045), BODY))
    else:
        low, high = seat - 0.15, top + 0.3
        upper = (edge + skew * 0.7, high), (-edge + skew * 0.7, high)
        parts.append((polygon((-edge, low), (edge, low), *upper), SECOND))
    rim = (-half, seat), (-half + 0.12, seat - 0.14), (half + 0.08, seat - 0.14)
    cushion = polygon(*rim, (half, seat + 0.1), (-half, seat + 0.1))
    parts.append((cushion, SECOND if generator.random() < 0.6 else BODY))
    return parts


def chair(generator: np.random.Generator) -> Silhouette:
    """Wooden chair, or a padded one that looks like a sofa."""
    draw = generator.uniform
    half, bar = draw(0.4, 0.6), draw(0.06, 0.11)
    skew, seat = draw(-0.15, 0.15), draw(0.1, 0.3)
    parts: list[Part] = []
    for x in (-half + bar, half - bar):
        parts.append((limb(x, seat, x + skew * 0.3, 0.98, bar * 0.8), BODY))
    for x in (-half + 0.22, half - 0.02):
        parts.append((limb(x, seat, x + skew, 0.85, bar * 0.7), BODY))
    if generator.random() < 0.35:
        parts += _padded_back(half, seat)
    else:
        parts += _wooden_back(generator, half, bar, skew, seat)
    return Silhouette(parts, draw(-0.12, 0.12))


def _cushions(generator: np.random.Generator, half: float, back: float, count: int) -> list[Part]:
    edges = np.linspace(-half + 0.14, half - 0.14, count + 1)
    parts: list[Part] = []
    for left, right in pairwise(edges):
        parts.append((rectangle(left + 0.02, 0.05, right - 0.02, 0.3), SECOND))
        upper = rectangle(left + 0.02, back + 0.12, right - 0.02, 0.04)
        parts.append((upper, BODY if generator.random() < 0.5 else SECOND))
    return parts


def sofa(generator: np.random.Generator) -> Silhouette:
    """One to three seats with arms, some with a cushion."""
    draw = generator.uniform
    half, back = draw(0.75, 0.9), draw(-0.6, -0.3)
    count = int(generator.integers(1, 4)) if generator.random() < 0.8 else 1
    parts: list[Part] = [(rectangle(x - 0.07, 0.5, x + 0.07, 0.72), DARK) for x in (-half, half)]
    rim = (-half, back + 0.1), (-half + 0.12, back), (half - 0.12, back), (half, back + 0.1)
    parts.append((polygon(*rim, (half, 0.5), (-half, 0.5)), BODY))
    parts += _cushions(generator, half, back, count)
    arm = draw(-0.15, 0.05)
    parts.append((rectangle(-half - 0.12, arm, -half + 0.16, 0.58), BODY))
    parts.append((rectangle(half - 0.16, arm, half + 0.12, 0.58), BODY))
    if generator.random() < 0.5:
        x = draw(-0.5, 0.3)
        pillow = polygon((x, -0.2), (x + 0.26, -0.26), (x + 0.3, 0.06), (x + 0.02, 0.08))
        parts.append((pillow, ACCENT))
    return Silhouette(parts, draw(-0.06, 0.06))
