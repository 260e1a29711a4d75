"""Where the ground-truth masks lie and how their pixels are read.

For evaluation, and for the training of the one method that is fully supervised.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ssr.artefacts.archives import Archives
from ssr.artefacts.files import replacing
from ssr.artefacts.seals import BLANK, seal, verify
from ssr.data.images import load_image
from ssr.data.pngs import read_labels
from ssr.errors import InputError

_SCHEMA = pa.schema([("id", pa.string()), ("mask", pa.string())])
_COLOURS = b"colours"
_SEAL = b"seal"
_CONTENTS = b"contents"
_IN_ARCHIVE = ".zip!"


class UnknownColourError(InputError):
    """A mask holds a colour that stands for no class."""


@dataclass(frozen=True)
class Masks:
    """The masks of a data set by image id; can be pickled.

    Attributes:
        references: by image id, `path.png` or `archive.zip!member.png`; relative to `root`, or
            absolute.
        root: folder of the data set.
        colours: what each colour (0xRRGGBB) stands for, by 0 background, 1..C classes, 255 ignored;
            empty where the pixels of the masks are these indices themselves.
    """

    references: Mapping[str, str]
    root: Path
    colours: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path, root: str | Path) -> Self:
        """Read the table that `write` wrote.

        Raises:
            InputError: the table is missing or damaged.
        """
        verify(Path(path))
        try:
            table = pq.ParquetFile(path).read()  # pq.read_table would import pandas
            columns = table.to_pydict()
            references = dict(zip(columns["id"], columns["mask"], strict=True))
            pairs = json.loads((table.schema.metadata or {}).get(_COLOURS, b"[]"))
            colours = {int(colour): int(index) for colour, index in pairs}
        except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
            raise InputError(f"{path}: cannot be read as the table of masks ({error})") from error
        return cls(references, Path(root), colours)

    def write(self, path: str | Path, contents: str = "") -> None:
        """Write the table: a Parquet file whose metadata holds the colours; not the root.

        `contents` stands for those of all masks: with another mask, the table is another, too.
        """
        columns = {"id": list(self.references), "mask": list(self.references.values())}
        colours = json.dumps(list(self.colours.items())).encode()
        metadata = {_COLOURS: colours, _SEAL: BLANK, _CONTENTS: contents}
        table = pa.table(columns, schema=_SCHEMA.with_metadata(metadata))
        with replacing(path) as temporary:
            pq.write_table(table, temporary)
            seal(temporary)

    @property
    def ids(self) -> Collection[str]:
        """Ids of the images that have a mask."""
        return self.references.keys()

    def of(self, ids: Sequence[str]) -> Self:
        """The masks of these images, as far as there are any."""
        references = {name: self.references[name] for name in ids if name in self.references}
        return type(self)(references, self.root, self.colours)

    def load(self, image_id: str) -> NDArray[np.uint8]:
        """Mask of an image, (H, W) uint8: 0 background, 1..C classes, 255 ignored.

        Raises:
            InputError: the mask is missing, damaged or of another kind.
            UnknownColourError: it holds a colour that `colours` does not name.
        """
        source = self._source(self.references[image_id])
        if not self.colours:
            return read_labels(source)
        return self._indices(load_image(source), self.references[image_id])

    def _source(self, reference: str) -> Path | io.BytesIO:
        archive, member = split_reference(reference)
        if not archive:
            return self.root / reference
        return io.BytesIO(_open(self.root / archive).read(0, member))

    def _indices(self, pixels: NDArray[np.uint8], reference: str) -> NDArray[np.uint8]:
        """Indices (H, W) of the colours (H, W, 3)."""
        red, green, blue = np.moveaxis(pixels.astype(np.int64), -1, 0)
        found, positions = np.unique((red << 16) + (green << 8) + blue, return_inverse=True)
        if unknown := [colour for colour in found.tolist() if colour not in self.colours]:
            raise UnknownColourError(f"{reference} (#{unknown[0]:06x})")
        indices = np.array([self.colours[colour] for colour in found.tolist()], np.uint8)
        return indices[positions].reshape(pixels.shape[:2])


@cache
def _open(archive: Path) -> Archives:
    """Opened once in each process: to list a large archive takes longer than to read a mask."""
    return Archives([archive])


def split_reference(reference: str) -> tuple[str, str]:
    """Of a reference the archive, if the mask lies in one, else "", and the mask's name."""
    archive, mark, member = reference.partition(_IN_ARCHIVE)
    return (f"{archive}.zip", member) if mark else ("", reference)
