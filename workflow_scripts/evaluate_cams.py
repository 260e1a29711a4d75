"""CAMs of one stage and masks in; the confusion matrix at the chosen threshold and the sweep out.

On the tuning split the best threshold is chosen; on any other it is read from that evaluation, but
for `--protocol published`.
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
    from ssr.evaluation.evaluation import Shard, Tally
    from ssr.evaluation.metrics import Scores
    from ssr.evaluation.thresholds import Threshold


def main(arguments: Namespace) -> None:
    """Count, score at every threshold, and choose one where none is given."""
    from ssr.evaluation.evaluation import curve, quality, write_evaluation
    from ssr.evaluation.image_scores import write_image_counts
    from ssr.evaluation.metrics import confusion_at, sweep

    names = common.class_names(arguments)
    shards = common.shards_and_masks(arguments, arguments.cams)
    given = _given(arguments)
    tally = _count(arguments, shards, given)
    scores = sweep(tally.total)
    document = common.heading(arguments, shards)
    threshold = given or _chosen(scores, arguments.split, document["images"])
    confusion = confusion_at(tally.total, _index(threshold.value))
    document |= threshold.entries | quality(confusion, names) | {"sweep": curve(scores)}
    write_evaluation(arguments.output, document | common.protocol(document))
    if arguments.images:
        # Each image's confusion is that at the threshold, which is known only now if it was chosen.
        counted = tally if given else _count(arguments, shards, threshold)
        write_image_counts(arguments.images, counted.images)


def _count(arguments: Namespace, shards: list[Shard], threshold: Threshold | None) -> Tally:
    from ssr.evaluation.evaluation import count, count_cams

    classes = len(common.class_names(arguments))
    known = _index(threshold.value) if threshold else None
    counter = partial(count_cams, classes=classes, threshold=known)
    return count(counter, shards, arguments.threads)


def _given(arguments: Namespace) -> Threshold | None:
    """The threshold chosen on the tuning split; None where it is chosen here."""
    from ssr.evaluation.thresholds import read_threshold

    if arguments.threshold_from:
        return read_threshold(arguments.threshold_from, arguments.stage)
    if arguments.split != "tune" and arguments.protocol != "published":
        raise InputError(f"--threshold-from is missing: none is chosen on {arguments.split}")
    return None


def _chosen(scores: list[Scores], split: str, images: int) -> Threshold:
    """The best threshold of the sweep on this many images of a split."""
    from ssr.evaluation.evaluation import best_threshold
    from ssr.evaluation.thresholds import Threshold

    return Threshold(best_threshold(scores), split, images)


def _index(threshold: float) -> int:
    """Which of the sweep's thresholds this is."""
    import numpy as np

    from ssr.evaluation.evaluation import LEVELS
    from ssr.evaluation.metrics import thresholds

    return int(np.abs(thresholds(LEVELS) - threshold).argmin())


if __name__ == "__main__":
    flags = common.evaluation_parser(__doc__, ["initial_cam", "aligned_cam", "refined_cam"])
    flags.add_argument("--cams", type=existing, nargs="+", required=True)
    flags.add_argument(
        "--threshold-from", type=Path, nargs="?", help="evaluation on the tuning split"
    )
    flags.add_argument(
        "--protocol",
        choices=["held_out", "published"],
        default="held_out",
        help="published: choose the threshold on any split",
    )
    run(main, flags)
