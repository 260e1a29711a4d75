"""The command `ssr predict`: a run's segmenter on images that the run need not know."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ssr.config import Prediction
from ssr.config.settings import recorded
from ssr.data.images import load_image
from ssr.errors import InputError
from ssr.predict.folder import Predictions, Wanted, find_images
from ssr.predict.segmenter import TrainedSegmenter, open_segmenter
from ssr.running.progress import progress


def main(arguments: argparse.Namespace) -> int:
    """Predict all images that are not predicted yet; 1 if some could not be.

    Raises:
        InputError: the run has no segmenter, or what was asked for makes no sense.
    """
    wanted = find_images(arguments.images, arguments.out)
    segmenter = open_segmenter(
        arguments.results, recorded(arguments.results), arguments.method, arguments.device
    )
    segmenter = replace(segmenter, settings=_settings(segmenter.settings, arguments.scales))
    side = segmenter.side if arguments.tiles is None else arguments.tiles
    if side is not None and side < segmenter.settings.stride:
        raise InputError(
            f"--tiles are at least prediction.stride {segmenter.settings.stride}; came {side}"
        )
    predictions = Predictions(
        arguments.out,
        segmenter.classes,
        {
            "segmenter": segmenter.identity,
            "prediction": segmenter.settings.model_dump(mode="json"),
            "crf": segmenter.crf.model_dump(mode="json") if arguments.crf else None,
            "tiles": side,
        },
        arguments.overlay,
    )
    before, failed = _predict(segmenter, wanted, predictions, arguments.crf, side)
    _report(arguments.out, len(wanted), before, failed)
    return int(bool(failed))


def _settings(settings: Prediction, scales: Sequence[float] | None) -> Prediction:
    if scales is None:
        return settings
    try:
        return Prediction.model_validate(settings.model_dump() | {"scales": scales})
    except ValueError as error:
        raise InputError(f"--scales are numbers above 0; came {scales}") from error


def _predict(
    segmenter: TrainedSegmenter,
    images: Sequence[Wanted],
    predictions: Predictions,
    crf: bool,
    side: int | None,
) -> tuple[int, list[str]]:
    """Write the predictions that are missing; how many were there, and what went wrong."""
    before, failed = 0, []
    for each in progress(images, len(images), "predict"):
        try:
            if predictions.has(each):
                before += 1
                continue
            image = load_image(each.image)
        except (InputError, OSError) as error:
            failed.append(str(error))
            continue
        labels = segmenter.label(image, crf=crf, side=side)
        try:
            predictions.write(each, image, labels)
        except PermissionError:
            raise
        except OSError as error:  # such as of a name that is too long
            failed.append(f"{each.image}: {error.strerror}")
    return before, failed


def _report(out: Path, wanted: int, before: int, failed: Sequence[str]) -> None:
    for line in failed:
        print(f"error: {line}", file=sys.stderr)
    there = f" ({before} of them were there before)" if before else ""
    print(f"{wanted - len(failed)} of {wanted} images are predicted{there}: {out}/labels")
