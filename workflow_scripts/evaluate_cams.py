"""CAMs of one stage and masks in; the confusion matrix at the chosen threshold and the sweep out.

On the tuning split the best threshold is chosen; on any other it is read from that evaluation.
"""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.errors import InputError
from ssr.running.programs import existing, run
from workflow_scripts import evaluation_flags as common

if TYPE_CHECKING:
    from ssr.evaluation.metrics import Scores
    from ssr.evaluation.thresholds import Threshold


def main(arguments: Namespace) -> None:
    """Count once, score at every threshold."""
    from ssr.evaluation.evaluation import count, count_cams, curve, quality, write_evaluation
    from ssr.evaluation.image_scores import write_image_counts
    from ssr.evaluation.metrics import confusion_at, sweep

    names = common.class_names(arguments)
    shards = common.shards_and_masks(arguments, arguments.cams)
    given = _given(arguments)
    known = _index(given.value) if given else None
    counter = partial(count_cams, classes=len(names), threshold=known)
    tally = count(counter, shards, arguments.threads)
    scores = sweep(tally.total)
    document = common.heading(arguments, shards)
    threshold = given or _chosen(scores, document["images"])
    confusion = confusion_at(tally.total, _index(threshold.value))
    document |= threshold.entries | quality(confusion, names) | {"sweep": curve(scores)}
    write_evaluation(arguments.output, document)
    if arguments.images:
        write_image_counts(arguments.images, tally.images)


def _given(arguments: Namespace) -> Threshold | None:
    """The threshold chosen on the tuning split; None on that split itself."""
    from ssr.evaluation.thresholds import read_threshold

    if arguments.threshold_from:
        return read_threshold(arguments.threshold_from, arguments.stage)
    if arguments.split != "tune":
        raise InputError(f"--threshold-from is missing: none is chosen on {arguments.split}")
    if arguments.images:
        raise InputError("--images needs --threshold-from: the threshold must be known beforehand")
    return None


def _chosen(scores: list[Scores], images: int) -> Threshold:
    """The best threshold of the sweep on this many images of the tuning split."""
    from ssr.evaluation.evaluation import best_threshold
    from ssr.evaluation.thresholds import Threshold

    return Threshold(best_threshold(scores), "tune", images)


def _index(threshold: float) -> int:
    """Which of the sweep's thresholds this is."""
    import numpy as np

    from ssr.evaluation.evaluation import LEVELS
    from ssr.evaluation.metrics import thresholds

    return int(np.abs(thresholds(LEVELS) - threshold).argmin())


if __name__ == "__main__":
    flags = common.evaluation_parser(__doc__, ["initial_cam", "aligned_cam", "refined_cam"])
    flags.add_argument("--cams", type=existing, nargs="+", required=True)
    flags.add_argument("--threshold-from", type=Path, help="evaluation on the tuning split")
    run(main, flags)
