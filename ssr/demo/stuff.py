"""Textures of the seven kinds of stuff: painters of (height, width, 3) float32, about 0..255.

The order of random draws is part of a scene's identity: do not reorder them.
"""

from collections.abc import Callable

import numpy as np

from ssr.demo.noise import Floats, hsv, noise

Painter = Callable[[np.random.Generator, int, int], Floats]


def _depth(height: int) -> Floats:
    return np.linspace(0, 1, height, dtype=np.float32)[:, None, None]


def _filled(colour: Floats, height: int, width: int) -> Floats:
    return np.zeros((height, width, 3), np.float32) + colour


def _sky_colours(generator: np.random.Generator) -> tuple[Floats, Floats]:
    draw = generator.uniform
    mood = generator.random()
    if mood < 0.65:
        return (
            hsv(draw(0.54, 0.62), draw(0.35, 0.75), draw(0.65, 0.95)),
            hsv(draw(0.52, 0.6), draw(0.05, 0.3), draw(0.85, 1)),
        )
    if mood < 0.85:
        return hsv(0.6, draw(0, 0.12), draw(0.55, 0.8)), hsv(0.6, draw(0, 0.08), draw(0.7, 0.95))
    top = hsv(draw(0.6, 0.75), 0.4, draw(0.4, 0.7))
    return top, hsv(draw(0.02, 0.1), draw(0.3, 0.6), 0.95)


def sky(generator: np.random.Generator, height: int, width: int) -> Floats:
    """Blue, grey or dusk gradient with clouds."""
    depth = _depth(height)
    top, bottom = _sky_colours(generator)
    image = top * (1 - depth) + bottom * depth + np.zeros((height, width, 3), np.float32)
    clouds = noise(generator, "low", height, width) * 0.6
    clouds = clouds + noise(generator, "mid", height, width) * 0.25
    cover = np.clip(clouds - generator.uniform(-0.2, 1.2), 0, 1)[..., None]
    return image * (1 - cover) + np.float32(generator.uniform(225, 252)) * cover


def water(generator: np.random.Generator, height: int, width: int) -> Floats:
    """Horizontal ripples with glints."""
    draw = generator.uniform
    base = hsv(draw(0.48, 0.62), draw(0.25, 0.7), draw(0.35, 0.75))
    strength = draw(10, 26)
    ripples = (noise(generator, "horiz", height, width) * strength)[..., None]
    image = base * (1.12 - 0.3 * _depth(height)) + ripples
    glints = np.clip(noise(generator, "horiz", height, width) - 1.6, 0, 1)[..., None]
    return image + glints * 90


def grass(generator: np.random.Generator, height: int, width: int) -> Floats:
    """Vertical blades, brighter towards the viewer."""
    draw = generator.uniform
    base = hsv(draw(0.18, 0.36), draw(0.35, 0.75), draw(0.35, 0.7))
    blades = noise(generator, "vert", height, width) * draw(8, 20)
    blades = blades + noise(generator, "mid", height, width) * draw(3, 12)
    tint = np.array([0.9, 1, 0.5], np.float32)
    return base * (0.92 + 0.15 * _depth(height)) + blades[..., None] * tint


def sand(generator: np.random.Generator, height: int, width: int) -> Floats:
    """Fine grain on soft dunes."""
    draw = generator.uniform
    base = hsv(draw(0.08, 0.14), draw(0.2, 0.5), draw(0.65, 0.92))
    grain = noise(generator, "fine", height, width) * draw(4, 12)
    return base + (grain + noise(generator, "low", height, width) * 8)[..., None]


def road(generator: np.random.Generator, height: int, width: int) -> Floats:
    """Asphalt, often with a dashed line."""
    draw = generator.uniform
    base = hsv(draw(0, 1), draw(0, 0.08), draw(0.25, 0.58))
    image = base + (noise(generator, "fine", height, width) * draw(4, 10))[..., None]
    if generator.random() < 0.6 and height > 12:
        line = int(draw(0.3, 0.85) * height)
        thickness = max(2, int(height * 0.05))
        dash, offset = int(generator.integers(8, 26)), int(generator.integers(0, 20))
        painted = (np.arange(width) + offset) // dash % 2 == 0
        colour = hsv(0.14, 0.7 * (generator.random() < 0.4), 0.92)
        image[line : line + thickness][:, painted] = colour
    return image


def _wallpaper(generator: np.random.Generator, image: Floats) -> None:
    height, width = image.shape[:2]
    pattern = generator.random()
    if pattern < 0.35:
        period = int(generator.integers(6, 18))
        stripes = np.arange(width) // period % 2 == 0
        image[:, stripes] *= generator.uniform(0.78, 0.95)
    elif pattern < 0.6:
        brick_height, brick_width = int(generator.integers(5, 10)), int(generator.integers(10, 20))
        rows, columns = np.mgrid[:height, :width]
        shift = rows // brick_height % 2 * (brick_width // 2)
        joints = (rows % brick_height == 0) | ((columns + shift) % brick_width == 0)
        image[joints] *= generator.uniform(0.72, 0.9)


def wall(generator: np.random.Generator, height: int, width: int) -> Floats:
    """Plain, striped or bricked."""
    draw = generator.uniform
    image = _filled(hsv(draw(0, 1), draw(0.03, 0.4), draw(0.5, 0.95)), height, width)
    _wallpaper(generator, image)
    shade = noise(generator, "low", height, width) * draw(2, 9)
    return image + (shade + noise(generator, "fine", height, width) * 2)[..., None]


def floor(generator: np.random.Generator, height: int, width: int) -> Floats:
    """Wooden planks."""
    draw = generator.uniform
    image = _filled(hsv(draw(0.03, 0.11), draw(0.3, 0.65), draw(0.3, 0.72)), height, width)
    plank_height = int(generator.integers(5, 14))
    planks = np.arange(height) // plank_height
    tones = np.random.default_rng(int(generator.integers(1 << 30)))
    brightness = tones.standard_normal(height // plank_height + 1).astype(np.float32)
    image *= (1 + 0.12 * brightness)[planks][:, None, None]
    return image + (noise(generator, "horiz", height, width) * draw(4, 10))[..., None]


PAINTERS: dict[str, Painter] = {
    "sky": sky,
    "water": water,
    "grass": grass,
    "sand": sand,
    "road": road,
    "wall": wall,
    "floor": floor,
}
