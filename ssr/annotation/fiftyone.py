"""FiftyOne's ImageSegmentationDirectory: greyscale PNGs of indices in labels/."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from ssr.annotation.json_files import read_json
from ssr.annotation.labelled import LabelledImage, painted, understood
from ssr.artefacts.files import replacing
from ssr.data.findings import Findings
from ssr.data.pngs import read_labels
from ssr.errors import InputError

LABELS, TARGETS = "labels", "mask_targets.json"


def write(folder: Path, images: Iterable[LabelledImage], classes: Sequence[str]) -> None:
    """Write labels/, and mask_targets.json, which says what the indices mean.

    Without a palette: FiftyOne would take its colours for the labels.
    """
    for image in images:
        path = folder / LABELS / PurePosixPath(image.name).with_suffix(".png")
        with replacing(path) as temporary:
            Image.fromarray(image.labels).save(temporary, "PNG")
    with replacing(folder / TARGETS) as temporary:
        temporary.write_text(json.dumps(_targets(classes), ensure_ascii=False), encoding="utf-8")


def _targets(classes: Sequence[str]) -> dict[str, str]:
    return {str(index): name for name, index in painted(classes).items()}


def read(path: Path, classes: Sequence[str], findings: Findings) -> Iterator[LabelledImage]:
    """The masks of a folder that FiftyOne has exported.

    Raises:
        InputError: a mask_targets.json beside them names other classes.
    """
    targets = path / TARGETS
    if targets.is_file() and read_json(targets) != _targets(classes):
        raise InputError(f"{targets}: names other classes than the data set, or in another order")
    known = [*understood(classes).values()]
    for mask in sorted((path / LABELS).rglob("*.png")):
        try:
            labels = read_labels(mask)
        except InputError as error:
            findings.problem("mask that can't be read", str(error))
            continue
        if unknown := np.setdiff1d(labels, known).tolist():
            findings.problem("mask with an index that is no class", f"{mask.name} ({unknown[0]})")
            continue
        yield LabelledImage(mask.relative_to(path / LABELS).as_posix(), labels)
