"""Predictions of a test split as one archive, such as an evaluation server takes."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from ssr.artefacts.files import replacing
from ssr.data.pngs import Pngs


def write_submission(path: str | Path, predictions: Pngs, ids: Sequence[str], folder: str) -> None:
    """Write `folder/{id}.png` of each image to a .tar.gz; equal predictions give equal bytes.

    Raises:
        InputError: an image has no prediction.
    """
    with (
        replacing(path) as temporary,
        temporary.open("wb") as file,
        # The clock and the name of the file must not make two equal archives differ.
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for image_id in ids:
            content = predictions.read_png(image_id)
            entry = tarfile.TarInfo(f"{folder}/{image_id}.png")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
