"""From an image file to the input of a network on a grid of patches."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from ssr.data.depth import eight_bits, extreme, refuse_empty_bits
from ssr.errors import InputError

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# Not among them: EPS, which PIL hands to Ghostscript, an interpreter of programs.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
SUFFIXES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"))
"""Of files that are looked for; one that is named may have any."""
# What turns an image upright, by its EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
# In PIL's raw modes of 16 bits. Greyscale keeps all of them, colours the upper 8.
_DEEP = ";16"
# A tag of TIFF, and its value for negatives, which PIL reverses in 8 bits only.
_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0
# Another, by its default for numbers without a sign, of which PIL takes 32 bits for signed ones.
_SAMPLE_FORMAT = 339
_UNSIGNED = (1,)


@dataclass(frozen=True)
class Measured:
    """Height and width of an upright image in pixels, and what is doubtful in it: (kind, what)."""

    height: int
    width: int
    doubts: tuple[tuple[str, str], ...] = ()


def load_image(path: str | Path | io.BytesIO) -> np.ndarray:
    """Decode an image of any kind to RGB, (H, W, 3) uint8.

    The rotation noted by a camera (EXIF) is applied. Greyscale, palette and CMYK images are
    converted, deeper ones than 8 bits as `ssr.data.depth` says; transparency is dropped.

    Raises:
        InputError: the file is missing, damaged, cut short, no image of `FORMATS`, or its
            brightness can't be told.
    """
    with open_image(path) as image:
        return _decode(image)[0]


def measure_image(path: str | Path) -> Measured:
    """Decode an image as `load_image` does, for its size and what is doubtful in it.

    A JPEG is decoded to an eighth of its size: all of its data is gone through as ever, in a third
    of the time.

    Raises:
        InputError: `load_image` would raise one.
    """
    with open_image(path) as image:
        width, height = image.size
        image.draft(None, (max(1, width // 8), max(1, height // 8)))
        pixels, depth = _decode(image)
        if _orientation(image) in _SIDEWAYS:
            width, height = height, width
    doubts = {
        "image of more than 8 bits, scaled by its largest value instead of 16 bits": depth,
        "image nearly black or nearly white": extreme(pixels),
    }
    return Measured(height, width, tuple((kind, what) for kind, what in doubts.items() if what))


@contextmanager
def open_image(source: str | Path | io.BytesIO) -> Iterator[Image.Image]:
    """The image in a file, not decoded yet; what goes wrong in the block becomes an InputError.

    PIL refuses images of more than 179 million pixels, which a few kilobytes can stand for.
    """
    # A pipe or a device would be waited for, or read without an end.
    if not isinstance(source, io.BytesIO) and not Path(source).is_file():
        raise InputError(f"{source}: no such file")
    try:
        with Image.open(source, formats=FORMATS) as image:
            # PIL maps a file that has a name into memory, and a TIFF that lies on its side askew.
            image.filename = ""
            yield image
    except InputError:
        raise
    except Exception as error:  # on damaged files PIL's decoders raise nearly anything
        name = "content" if isinstance(source, io.BytesIO) else source
        raise InputError(f"{name}: cannot be read as an image ({error})") from error


def patch_grid(height: int, width: int, patch: int, max_side: int | None = None) -> tuple[int, int]:
    """Rows and columns of patches that cover an image: each side is rounded up to whole patches.

    Args:
        height: of the image, in pixels.
        width: of the image, in pixels.
        patch: side of a patch, in pixels.
        max_side: a longer image is first scaled down until its longest side has this length.
    """
    longest = max(height, width)
    if max_side is not None and longest > max_side:
        height, width = (max(1, round(side * max_side / longest)) for side in (height, width))
    return -(-height // patch), -(-width // patch)


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (H, W, 3) uint8 to (height, width, 3): PIL's bicubic, antialiased when smaller."""
    if image.shape[:2] == (height, width):
        return image
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def load_on_grid(path: str | Path, patch: int, max_side: int | None = None) -> np.ndarray:
    """`load_image`, resized to its `patch_grid`: (h * patch, w * patch, 3) uint8."""
    image = load_image(path)
    height, width = image.shape[:2]
    rows, columns = patch_grid(height, width, patch, max_side)
    return resize(image, rows * patch, columns * patch)


def _decode(image: Image.Image) -> tuple[np.ndarray, str]:
    """Pixels (H, W, 3) uint8 of an opened image, and what was taken for granted of its depth."""
    deep = image.mode[0] not in "IF" and any(_DEEP in raw_mode for raw_mode in raw_modes(image))
    image.load()  # by which PIL turns a TIFF upright itself, and drops its orientation
    turn = _TURNS.get(_orientation(image))
    upright, depth = _in_eight_bits(image if turn is None else image.transpose(turn))
    pixels = np.array(upright.convert("RGB"))
    if deep:
        refuse_empty_bits(pixels)
    return pixels, depth


def raw_modes(image: Image.Image) -> list[str]:
    """How PIL unpacks the pixels of an opened image, such as "L;4"; nothing once it is decoded."""
    arguments = [tile[3] for tile in getattr(image, "tile", ())]
    return [str(own[0] if isinstance(own, tuple) else own) for own in arguments]


def _orientation(image: Image.Image) -> Any:
    return image.getexif().get(ExifTags.Base.Orientation)


def _in_eight_bits(image: Image.Image) -> tuple[Image.Image, str]:
    """A deeper greyscale image in 8 bits, and what was taken for granted; others as they are."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image, ""
    tags, numbers = getattr(image, "tag_v2", {}), np.asarray(image)
    if image.mode == "I" and tags.get(_SAMPLE_FORMAT, _UNSIGNED) == _UNSIGNED:
        numbers = numbers.view(np.uint32)
    values, doubt = eight_bits(numbers)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        values = 255 - values
    return Image.fromarray(values), doubt
