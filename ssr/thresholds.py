"""The background threshold that was chosen on the tuning split, as the later stages read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssr.errors import InputError


@dataclass(frozen=True)
class Threshold:
    """A background score between 0 and 1, and the images by whose masks it was chosen."""

    value: float
    split: str
    images: int

    @property
    def entries(self) -> dict[str, Any]:
        """Its entries in the document of an evaluation; `read_threshold` reads them."""
        origin = {"split": self.split, "images": self.images}
        return {"threshold": self.value, "threshold_from": origin}


def read_threshold(path: str | Path, stage: str) -> Threshold:
    """The threshold that an evaluation of `stage` chose.

    Raises:
        InputError: the file is missing, no evaluation, of another stage, or it did not choose its
            threshold itself.
    """
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
