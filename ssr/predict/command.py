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
from ssr.predict.tiles import SIDE
from ssr.running.progress import progress


def main(arguments: argparse.Namespace) -> int:
    """Predict all images that are not predicted yet; 1 if some could not be read.

    Raises:
        InputError: the run has no segmenter, or what was asked for makes no sense.
    """
    wanted = find_images(arguments.images)
    segmenter = open_segmenter(
        arguments.results, recorded(arguments.results), arguments.method, arguments.device
    )
    segmenter = replace(segmenter, settings=_settings(segmenter.settings, arguments.scales))
    side = _side(arguments.tiles, segmenter.settings)
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
    missing = [each for each in wanted if not predictions.has(each.name)]
    unread = _predict(segmenter, missing, predictions, arguments.crf, side)
    _report(arguments.out, len(wanted), len(wanted) - len(missing), unread)
    return int(bool(unread))


def _settings(settings: Prediction, scales: Sequence[float] | None) -> Prediction:
    if scales is None:
        return settings
    try:
        return Prediction.model_validate(settings.model_dump() | {"scales": scales})
    except ValueError as error:
        raise InputError(f"--scales are numbers above 0; came {scales}") from error


def _side(tiles: int | None, settings: Prediction) -> int | None:
    if tiles is None:
        return None if settings.max_side else SIDE
    if tiles < settings.stride:
        raise InputError(f"--tiles are at least prediction.stride {settings.stride}; came {tiles}")
    return tiles


def _predict(
    segmenter: TrainedSegmenter,
    images: Sequence[Wanted],
    predictions: Predictions,
    crf: bool,
    side: int | None,
) -> list[str]:
    """Write the predictions of images; returns why some could not be read."""
    unread = []
    for each in progress(images, len(images), "predict") if images else ():
        try:
            image = load_image(each.image)
        except InputError as error:
            unread.append(str(error))
            continue
        predictions.write(each.name, image, segmenter.label(image, crf=crf, side=side))
    return unread


def _report(out: Path, wanted: int, before: int, unread: Sequence[str]) -> None:
    for line in unread:
        print(f"error: {line}", file=sys.stderr)
    there = f" ({before} of them were there before)" if before else ""
    print(f"{wanted - len(unread)} of {wanted} images are predicted{there}: {out}/labels")
