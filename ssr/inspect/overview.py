"""What the page knows of all images at once: the run, the table of the gallery, the scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from ssr.config import Config, coverage
from ssr.config.methods import method_config, owner, rows_of_methods
from ssr.evaluation.image_scores import ImageScores
from ssr.inspect.arrays import why_no_target
from ssr.report.stages import PANELS, STAGES
from ssr.results import MissingError, Results

# Where a stage is shared, what is drawn of it is the same.
_DRAWN_OF = {"regions": "superpixels", "target": "refined_cam"}
_COLOUR_MAPS = ("inferno", "viridis", "cividis", "gray")


def describe(results: Results) -> dict[str, Any]:
    """Names, colours and settings of a run."""
    import matplotlib as mpl  # half a second; the first page need not wait for it

    from ssr.report.figures import OKABE_ITO

    # What a method made with further seeds stands behind it.
    rows = [row for seeds in rows_of_methods(results.config).values() for row in seeds.values()]
    maps = {name: mpl.colormaps[name].resampled(256) for name in _COLOUR_MAPS}
    return {
        "dataset": results.config.dataset,
        "classes": ["background", *results.config.data.classes],
        "methods": rows,
        "titles": {row: _title(results.config, row) for row in rows},
        "stages": STAGES,
        "panels": PANELS,
        "colours": OKABE_ITO,
        "maps": {
            name: (255 * colours(np.arange(256))[:, :3]).round().astype(int).ravel().tolist()
            for name, colours in maps.items()
        },
        "absent": {method: _absent(results.config, method) for method in results.config.methods},
        "owners": {method: _owners(results.config, method) for method in results.config.methods},
        "rounds": {method: len(rounds(results, method)) for method in results.config.methods},
    }


def _title(config: Config, method: str) -> str:
    learned = method_config(config, method).learns_from_masks
    return f"{method} (learned from masks)" if learned else method


def _absent(config: Config, method: str) -> dict[str, str]:
    """The stages that a method does without, and why."""
    never = {stage: coverage.why_never(config, method, stage) for stage in coverage.FOLDERS}
    never |= {"regions": never["superpixels"], "target": why_no_target(config, method)}
    return {stage: reason for stage, reason in never.items() if reason}


def _owners(config: Config, method: str) -> dict[str, str]:
    """Of each stage that a method has, the method that made it: what is shared has one maker."""
    made = {stage: stage for stage in coverage.FOLDERS} | _DRAWN_OF
    absent = _absent(config, method)
    return {name: owner(config, method, made[name]) for name in made if name not in absent}


def images(results: Results) -> dict[str, list[Any]]:
    """The index by columns.

    Raises:
        MissingError: there is none.
    """
    try:
        entries = results.index.images
    except MissingError as error:
        raise MissingError("the index", f"the index of the images: {error.why}") from None
    columns = ("id", "split", "labels", "width", "height")
    return {name: [getattr(image, name) for image in entries] for name in columns}


def scores(results: Results, stage: str, method: str) -> dict[str, list[Any]]:
    """Scores of every image that was evaluated at a stage.

    Raises:
        MissingError: no such stage, or it was not evaluated.
    """
    if stage not in STAGES:
        raise MissingError(stage, "no stage has this name")
    folder = f"evaluation/{stage}/{owner(results.config, method, stage)}"
    files = sorted((results.folder / folder).glob("*.images.parquet"))
    if not files:
        raise MissingError(f"scores of {stage}", _why_no_scores(results, stage, method, folder))
    found: dict[str, list[Any]] = {name: [] for name in ("id", "miou", "iou", "pair", "wrong")}
    for file in files:
        one = ImageScores.read(file, len(results.config.data.classes) + 1)
        found["id"] += one.ids
        found["miou"] += [None if np.isnan(value) else round(value, 4) for value in one.miou]
        found["iou"] += _present(one)
        found["pair"] += one.pairs.tolist()
        found["wrong"] += one.wrong.tolist()
    return found


def _why_no_scores(results: Results, stage: str, method: str, folder: str) -> str:
    if not coverage.is_evaluated(results.config):
        return "nothing is evaluated without masks"
    if reason := coverage.why_never(results.config, method, stage):
        return reason
    return results.why_unmade(f"{folder}/{coverage.reported_split(results.config, stage)}")


def _present(one: ImageScores) -> list[dict[int, float]]:
    """Of each image, the IoU of its classes by their index."""
    listed: list[dict[int, float]] = [{} for _ in one.ids]
    for row, index in np.argwhere(np.isfinite(one.iou)).tolist():
        listed[row][index] = round(one.iou[row, index], 4)
    return listed


def rounds(results: Results, method: str) -> list[Any]:
    """The files of prototypes of a method, round by round, as far as they are made."""
    folder = results.folder / "prototypes" / owner(results.config, method, "heads")
    return sorted(folder.glob("*.npz"), key=lambda path: int(path.stem))
