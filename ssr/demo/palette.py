"""Colours of an object's parts.

The order of random draws is part of a scene's identity: do not reorder them.
"""

from collections.abc import Callable

import numpy as np

from ssr.demo.noise import Floats, hsv

Pair = tuple[Floats, Floats]
GLAZED = ("bus", "car", "aeroplane", "bottle")


class Colours:
    """Random colours (3,) float32 of a certain character, drawn from one generator."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.coin = generator.random
        self.draw = generator.uniform

    def vivid(self) -> Floats:
        """Any hue, saturated."""
        return hsv(self.coin(), self.draw(0.45, 0.95), self.draw(0.35, 0.95))

    def grey(self, darkest: float = 0.1, lightest: float = 0.95) -> Floats:
        """Nearly without colour."""
        return hsv(self.coin(), self.draw(0, 0.12), self.draw(darkest, lightest))

    def brown(self) -> Floats:
        """Wood, leather and fur."""
        return hsv(self.draw(0.02, 0.1), self.draw(0.3, 0.8), self.draw(0.2, 0.7))

    def shade(self, colour: Floats, low: float, high: float) -> Floats:
        """The same colour, darker or lighter."""
        return np.asarray(colour * self.draw(low, high))


def _aeroplane(c: Colours) -> Pair:
    body = c.grey(0.55, 1) if c.coin() < 0.65 else c.vivid()
    return body, c.shade(body, 0.75, 1.05) if c.coin() < 0.5 else c.vivid()


def _bird(c: Colours) -> Pair:
    kind = c.coin()
    body = c.grey(0.1, 1) if kind < 0.45 else (c.brown() if kind < 0.7 else c.vivid())
    return body, c.shade(body, 0.6, 1.2)


def _boat(c: Colours) -> Pair:
    body = c.vivid() if c.coin() < 0.6 else c.grey(0.2, 1)
    return body, c.grey(0.7, 1)


def _bottle(c: Colours) -> Pair:
    if c.coin() < 0.4:
        body = hsv(c.draw(0.2, 0.45), c.draw(0.4, 0.9), c.draw(0.25, 0.7))
    else:
        body = c.vivid()
    return body, c.grey(0.7, 1) if c.coin() < 0.5 else c.vivid()


def _vehicle(c: Colours) -> Pair:
    body = c.vivid() if c.coin() < 0.65 else c.grey(0.15, 1)
    return body, c.shade(body, 0.6, 0.9) if c.coin() < 0.5 else c.vivid()


def _chair(c: Colours) -> Pair:
    body = c.brown() if c.coin() < 0.6 else (c.vivid() if c.coin() < 0.5 else c.grey())
    return body, c.vivid() if c.coin() < 0.6 else c.shade(body, 0.7, 1.2)


def _sofa(c: Colours) -> Pair:
    body = c.vivid() if c.coin() < 0.6 else (c.brown() if c.coin() < 0.5 else c.grey(0.2, 0.9))
    return body, c.shade(body, 0.7, 1.25)


def _cow(c: Colours) -> Pair:
    kind = c.coin()
    body = c.grey(0.75, 1) if kind < 0.45 else (c.brown() if kind < 0.8 else c.grey(0.05, 0.25))
    if body.mean() > 110:
        return body, c.grey(0.05, 0.25)
    return body, c.grey(0.8, 1) if c.coin() < 0.6 else body * 0.7


def _horse(c: Colours) -> Pair:
    kind = c.coin()
    body = c.brown() if kind < 0.6 else (c.grey(0.1, 0.35) if kind < 0.8 else c.grey(0.75, 1))
    return body, c.shade(body, 0.3, 0.7) if c.coin() < 0.7 else c.grey(0.1, 0.9)


PAIRS: dict[str, Callable[[Colours], Pair]] = {
    "aeroplane": _aeroplane,
    "bird": _bird,
    "boat": _boat,
    "bottle": _bottle,
    "bus": _vehicle,
    "car": _vehicle,
    "chair": _chair,
    "cow": _cow,
    "horse": _horse,
    "sofa": _sofa,
}


def palette(generator: np.random.Generator, name: str) -> Floats:
    """Colours of an object, (6, 3) float32 in 0..255: unused, body, second, dark, light, accent."""
    c = Colours(generator)
    body, second = PAIRS[name](c)
    dark = c.grey(0.05, 0.25)
    if name in GLAZED:
        light = hsv(c.draw(0.5, 0.62), c.draw(0.05, 0.35), c.draw(0.6, 0.95))
    else:
        light = c.grey(0.75, 1)
    if c.coin() < 0.6:
        accent = hsv(c.draw(0.02, 0.14), c.draw(0.5, 0.9), c.draw(0.6, 0.95))
    else:
        accent = c.vivid()
    if name == "cow":
        accent = hsv(c.draw(0.95, 1.02), c.draw(0.25, 0.45), c.draw(0.6, 0.85))
    rows = np.stack([np.zeros(3), body, second, dark, light, accent])
    return np.clip(rows, 0, 255).astype(np.float32)
