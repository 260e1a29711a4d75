"""The templates of the page, and pictures as text in it."""

from __future__ import annotations

import base64
import io

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image

from ssr.report.look import FOLDER


def picture_png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 as PNG of 256 colours: a third of the bytes, no difference to the eye."""
    return _png(Image.fromarray(pixels).quantize(256))


def sheet_png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 as PNG in all its colours."""
    return _png(Image.fromarray(pixels))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def data(content: bytes) -> str:
    """A PNG as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(content).decode()


TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""What users name is escaped wherever it stands; a name that is not there is an error."""

TEMPLATES.filters |= {"data": data, "picture_png": picture_png}
