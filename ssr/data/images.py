"""From an image file to the input of a network on a grid of patches."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from ssr.errors import InputError

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# Not among them: EPS, which PIL hands to Ghostscript, an interpreter of programs.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
# EXIF orientations in which rows and columns change places.
_SIDEWAYS = (5, 6, 7, 8)


def load_image(path: str | Path | io.BytesIO) -> np.ndarray:
    """Decode an image of any kind to RGB, (H, W, 3) uint8.

    The rotation noted by a camera (EXIF) is applied. Greyscale, palette, CMYK and 16-bit images
    are converted; transparency is dropped.

    Raises:
        InputError: the file is missing, damaged, cut short or no image of `FORMATS`.
    """
    with open_image(path) as image:
        upright = ImageOps.exif_transpose(image)
        return np.array(_eight_bits(upright).convert("RGB"))


def measure_image(path: str | Path) -> tuple[int, int]:
    """Height and width of the upright image, whose file is decoded to its end.

    A JPEG is decoded to an eighth of its size: all of its data is gone through as ever, in a third
    of the time.

    Raises:
        InputError: the file is missing, damaged, cut short or no image of `FORMATS`.
    """
    with open_image(path) as image:
        width, height = image.size
        image.draft(None, (max(1, width // 8), max(1, height // 8)))
        image.load()
        sideways = image.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS
    return (width, height) if sideways else (height, width)


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
            yield image
    except InputError:
        raise
    except Exception as error:  # on damaged files PIL's decoders raise nearly anything
        raise InputError(f"{source}: cannot be read as an image ({error})") from error


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


def normalise(
    image: np.ndarray, mean: tuple[float, ...] = CLIP_MEAN, std: tuple[float, ...] = CLIP_STD
) -> np.ndarray:
    """Network input from (H, W, 3) uint8: (3, H, W) float32, each channel less mean, over std."""
    scaled = image.astype(np.float32) / 255
    channels = (scaled - np.array(mean, np.float32)) / np.array(std, np.float32)
    return np.ascontiguousarray(channels.transpose(2, 0, 1))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Bring a 16-bit greyscale image to 8 bits, which PIL would clip instead of scale."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray(
        (np.asarray(image).astype(np.uint32) >> 8).clip(max=255).astype(np.uint8)
    )
