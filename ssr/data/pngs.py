"""Label maps as palette PNGs, one zip file per shard: any image viewer shows them in colour."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ssr.artefacts.archives import ArchiveWriter, ImageArchives, write_entry
from ssr.data.images import open_image, raw_modes
from ssr.errors import InputError

_SUFFIX = ".png"
# PIL spreads greyscale of fewer bits over 0..255; by its raw mode, from one grey to the next.
_STEPS = {"1": 255, "L;2": 85, "L;4": 17}


def voc_palette() -> np.ndarray:
    """PASCAL VOC's colours, (256, 3) uint8: the bits of an index, spread over red, green, blue."""
    index = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= (((index >> channel) & 1) << (7 - bit)).astype(np.uint8)
        index = index >> 3
    return palette


def encode_png(labels: np.ndarray, notes: Mapping[str, str] | None = None) -> bytes:
    """A palette PNG of `labels`, (H, W) uint8: 0 background, 1..C classes, 255 ignored.

    `notes` stand in it as text, by their keywords.
    """
    image = Image.fromarray(labels)
    image.putpalette(voc_palette().tobytes())
    text = PngInfo()
    for keyword, note in (notes or {}).items():
        text.add_text(keyword, note)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


def read_labels(source: str | Path | io.BytesIO) -> np.ndarray:
    """Label map of a PNG whose pixels are indices (palette or greyscale), (H, W) uint8.

    Of 1, 2, 4 or 8 bits, they are read as the numbers that were written.

    Raises:
        InputError: the file is missing, damaged or of another kind.
    """
    with open_image(source) as image:
        if image.mode not in ("P", "L", "1"):
            raise InputError(
                f"{source}: a mask is a palette or 8-bit greyscale PNG, came mode {image.mode}"
            )
        step = max((_STEPS.get(raw_mode, 1) for raw_mode in raw_modes(image)), default=1)
        labels = np.array(image.convert("L") if image.mode == "1" else image)
        return labels if step == 1 else labels // np.uint8(step)


class PngWriter(ArchiveWriter):
    """Write label maps into one zip file, which appears only when the block ends without error."""

    def add(self, image_id: str, labels: np.ndarray) -> None:
        """Store `labels`, (H, W) uint8, as `{image_id}.png`."""
        self.add_encoded(image_id, encode_png(labels))

    def add_encoded(self, image_id: str, png: bytes) -> None:
        """Store what `encode_png` made, perhaps in another process, as `{image_id}.png`."""
        write_entry(self._archive, image_id + _SUFFIX, png)


class Pngs(ImageArchives):
    """The label maps of many zip files, read by image id. Made by `open_pngs`."""

    def __init__(self, paths: Sequence[str | Path]) -> None:
        super().__init__(paths)
        for number in range(len(paths)):
            ids = (key.removesuffix(_SUFFIX) for key in self._archives.keys(number))
            self._stores.update(dict.fromkeys(ids, number))

    def read(self, image_id: str) -> np.ndarray:
        """Labels of one image, (H, W) uint8.

        Raises:
            InputError: no such image, or the file is damaged.
        """
        return read_labels(io.BytesIO(self.read_png(image_id)))

    def read_png(self, image_id: str) -> bytes:
        """The PNG of one image, as it is.

        Raises:
            InputError: no such image, or the file is damaged.
        """
        if image_id not in self._stores:
            raise InputError(f"no label map of image {image_id} in {self._archives.paths}")
        return self._archives.read(self._stores[image_id], image_id + _SUFFIX)


def open_pngs(paths: Sequence[str | Path]) -> Pngs:
    """Open zip files of label maps; can be pickled and used in forked processes.

    Raises:
        InputError: a file is missing or cut short.
    """
    return Pngs(paths)
