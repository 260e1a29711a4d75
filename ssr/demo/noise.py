"""Colours and a fixed bank of smooth noise fields that every texture is cut from."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
BANK_SEED = 20240101
BANK_SIDE = 256
FIELDS_PER_KIND = 12
# kind -> (weight, horizontal grain, vertical grain) of the fields that are added up
GRAINS: dict[str, tuple[tuple[float, int, int], ...]] = {
    "low": ((1, 64, 64), (0.5, 32, 32)),
    "mid": ((1, 12, 12), (0.6, 5, 5)),
    "fine": ((1, 2, 2), (0.5, 1, 1)),
    "horiz": ((1, 24, 3), (0.5, 48, 6)),
    "vert": ((1, 2, 10), (0.4, 3, 20)),
}


def hsv(hue: float, saturation: float, value: float) -> Floats:
    """RGB colour (3,) float32 in 0..255; hue wraps around, saturation and value in 0..1."""
    sector = (hue % 1.0) * 6
    whole = int(sector)
    rest = sector - whole
    low = value * (1 - saturation)
    falling, rising = value * (1 - saturation * rest), value * (1 - saturation * (1 - rest))
    corners = [
        (value, rising, low),
        (falling, value, low),
        (low, value, rising),
        (low, falling, value),
        (rising, low, value),
        (value, low, falling),
    ]
    return np.array(corners[whole % 6], np.float32) * 255


def _field(generator: np.random.Generator, across: int, down: int) -> Floats:
    shape = (max(2, BANK_SIDE // down), max(2, BANK_SIDE // across))
    coarse = generator.standard_normal(shape).astype(np.float32)
    smooth = Image.fromarray(coarse).resize((BANK_SIDE, BANK_SIDE), Image.Resampling.BICUBIC)
    field = np.asarray(smooth)
    return field / field.std()


@lru_cache(maxsize=1)
def noise_bank() -> dict[str, Floats]:
    """kind -> (12, 256, 256) float32 of unit variance, the same in every process."""
    generator = np.random.default_rng(BANK_SEED)
    bank = {}
    for kind, grains in GRAINS.items():
        fields = []
        for _ in range(FIELDS_PER_KIND):
            (_, across, down), (weight, finer_across, finer_down) = grains
            first = _field(generator, across, down)
            fields.append(first + weight * _field(generator, finer_across, finer_down))
        stacked = np.stack(fields)
        bank[kind] = (stacked / stacked.std()).astype(np.float32)
    return bank


def noise(generator: np.random.Generator, kind: str, height: int, width: int) -> Floats:
    """A random window of a random field, mirrored half of the time: (height, width) float32."""
    fields = noise_bank()[kind]
    field = fields[generator.integers(len(fields))]
    top = generator.integers(0, BANK_SIDE - height + 1)
    left = generator.integers(0, BANK_SIDE - width + 1)
    window = field[top : top + height, left : left + width]
    return window[:, ::-1] if generator.random() < 0.5 else window
