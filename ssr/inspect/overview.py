"""What the page knows of all images at once: the run, the table of the gallery, the scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ssr.config.settings import (
    ALIGNED,
    FINISHED,
    HEADS,
    LABELLED,
    PREDICTED,
    REFINED,
    method_config,
    owner,
)
from ssr.data.index import Image
from ssr.evaluation.image_scores import ImageScores
from ssr.report.stages import PANELS, STAGES
from ssr.results import MissingError, Results

_SECTIONS = {
    "initial_cam": (),
    "aligned_cam": ALIGNED,
    "refined_cam": REFINED,
    "pseudo_label": LABELLED,
    "prediction": PREDICTED,
    "prediction_crf": FINISHED,
}
_COLOUR_MAPS = ("inferno", "viridis", "cividis", "gray")


def describe(results: Results) -> dict[str, Any]:
    """Names, colours and settings of a run."""
    import matplotlib as mpl  # half a second; the first page need not wait for it

    from ssr.report.figures import OKABE_ITO

    maps = {name: mpl.colormaps[name].resampled(256) for name in _COLOUR_MAPS}
    return {
        "dataset": results.config.dataset,
        "classes": ["background", *results.config.data.classes],
        "methods": list(results.config.methods),
        "stages": STAGES,
        "panels": PANELS,
        "colours": OKABE_ITO,
        "maps": {
            name: (255 * colours(np.arange(256))[:, :3]).round().astype(int).ravel().tolist()
            for name, colours in maps.items()
        },
        "absent": {method: _absent(results, method) for method in results.config.methods},
        "rounds": {method: len(rounds(results, method)) for method in results.config.methods},
    }


def _absent(results: Results, method: str) -> list[str]:
    """The stages that a method does without."""
    settings = method_config(results.config, method)
    masked = settings.refinement.affinity != "none" and settings.refinement.mask != "none"
    return [
        *([] if settings.alignment.enabled else ["aligned_cam"]),
        *([] if masked else ["target"]),
        *([] if method in results.config.segmenter_methods else ["prediction", "prediction_crf"]),
    ]


def images(entries: Sequence[Image]) -> dict[str, list[Any]]:
    """The index by columns."""
    columns = ("id", "split", "labels", "width", "height")
    return {name: [getattr(image, name) for image in entries] for name in columns}


def scores(results: Results, stage: str, method: str) -> dict[str, list[Any]]:
    """Scores of every image that was evaluated at a stage.

    Raises:
        MissingError: no such stage, or it was not evaluated.
    """
    if stage not in STAGES:
        raise MissingError(f"no stage is named {stage}")
    owned = owner(results.config, method, _SECTIONS[stage])
    files = sorted((results.folder / "evaluation" / stage / owned).glob("*.images.parquet"))
    if not files:
        raise MissingError(f"{stage} of {method} has not been evaluated by image yet")
    found: dict[str, list[Any]] = {name: [] for name in ("id", "miou", "iou", "pair", "wrong")}
    for file in files:
        one = ImageScores.read(file, len(results.config.data.classes) + 1)
        found["id"] += one.ids
        found["miou"] += [None if np.isnan(value) else round(value, 4) for value in one.miou]
        found["iou"] += _present(one)
        found["pair"] += one.pairs.tolist()
        found["wrong"] += one.wrong.tolist()
    return found


def _present(one: ImageScores) -> list[dict[int, float]]:
    """Of each image, the IoU of its classes by their index."""
    listed: list[dict[int, float]] = [{} for _ in one.ids]
    for row, index in np.argwhere(np.isfinite(one.iou)).tolist():
        listed[row][index] = round(one.iou[row, index], 4)
    return listed


def rounds(results: Results, method: str) -> list[Any]:
    """The files of prototypes of a method, round by round, as far as they are made."""
    folder = results.folder / "prototypes" / owner(results.config, method, HEADS)
    return sorted(folder.glob("*.npz"), key=lambda path: int(path.stem))
