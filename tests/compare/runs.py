"""Runs of which only the settings and the evaluations of pseudo-labels are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssr.config import Config
from ssr.config.settings import record
from ssr.evaluation.evaluation import quality, write_evaluation
from ssr.evaluation.image_scores import sparse, write_image_counts
from tests import ROOT
from tests.report.finished_run import small_config

IMAGES = tuple("abcdefgh")
STAGE = "pseudo_label"


def confusions(accuracy: float, images: Sequence[str] = IMAGES) -> dict[str, NDArray]:
    """Of each image, (4, 5): so much of every class is right, the rest is another's or nobody's."""
    found = {}
    for image in images:
        random = np.random.default_rng(ord(image))
        true = random.integers(50, 200, 4)
        right = (true * np.clip(accuracy + 0.1 * random.normal(size=4), 0, 1)).astype(int)
        found[image] = np.diag(right) @ np.eye(4, 5, dtype=int)
        wrong = true - right
        found[image][np.arange(4), (np.arange(4) + 1) % 4] += wrong // 2
        found[image][:, 4] += wrong - wrong // 2
    return found


def make_run(
    folder: Path,
    accuracies: Mapping[str, float],
    images: Sequence[str] = IMAGES,
    settings: Mapping[str, Any] | None = None,
    **entries: Any,
) -> Path:
    """A run with these methods; `entries` are laid over its evaluations."""
    base = small_config(Path("data"), *accuracies)
    config = Config.model_validate(base.model_dump() | (settings or {}))
    results = folder / "results" / folder.name
    record(config, results)
    (folder / "backbones").symlink_to(ROOT / "backbones")
    for method, accuracy in accuracies.items():
        write(
            results / f"evaluation/{STAGE}/{method}/val.json", confusions(accuracy, images), entries
        )
    return results


def write(path: Path, counts: Mapping[str, NDArray], entries: Mapping[str, Any]) -> None:
    """An evaluation, and beside it the counts of its images."""
    document = {"stage": STAGE, "split": "val", "images": len(counts), "crf": False}
    document |= {"scales": None, "flip": None, "miou_given_labels": None, "threshold": 0.4}
    document |= {"threshold_from": {"split": "tune", "images": 5}, "protocol": "held_out"}
    document |= quality(sum(counts.values()), ["background", "cat", "dog", "owl"])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_evaluation(path, document | entries)
    rows = {image: sparse(counted) for image, counted in counts.items()}
    write_image_counts(path.with_suffix(".images.parquet"), rows)
