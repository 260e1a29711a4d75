"""The background threshold: chosen on the tuning split, or a setting."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssr.artefacts.seals import verify
from ssr.errors import InputError


@dataclass(frozen=True)
class Threshold:
    """A background score between 0 and 1, and the images by whose masks it was chosen, if any."""

    value: float
    split: str | None = None
    images: int | None = None

    @property
    def entries(self) -> dict[str, Any]:
        """Its entries in the document of an evaluation; `read_threshold` reads them."""
        origin = {"split": self.split, "images": self.images} if self.split else None
        return {"threshold": self.value, "threshold_from": origin}


def label_threshold(setting: float | None, evaluation: Path | None) -> Threshold:
    """The threshold of the pseudo-labels: the setting, else what the evaluation on tune chose.

    Raises:
        InputError: there is neither, or the evaluation holds no threshold of refined CAMs.
    """
    if setting is not None:
        return Threshold(setting)
    if evaluation is None:
        raise InputError("labels.threshold is null: an evaluation on tune must choose it")
    return read_threshold(evaluation, "refined_cam")


def read_threshold(path: str | Path, stage: str) -> Threshold:
    """The threshold that an evaluation of `stage` chose.

    Raises:
        InputError: the file is missing, no evaluation, of another stage, or it did not choose its
            threshold itself.
    """
    verify(Path(path))
    try:
        document = json.loads(Path(path).read_text())
        origin = document["threshold_from"]
        found = document["stage"], document["split"]
        threshold = Threshold(float(document["threshold"]), origin["split"], origin["images"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: holds no threshold ({error!r})") from None
    if found != (stage, threshold.split):
        raise InputError(
            f"{path}: wanted the evaluation of {stage} on the split that chose the threshold, "
            f"came {found[0]} on {found[1]} with a threshold of {threshold.split}"
        )
    return threshold
