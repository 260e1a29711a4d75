"""Label maps and masks in; their quality out.

They are pseudo-labels, predictions after the CRF, or, as the stage prediction, those that another
system made, of which nothing more is known.
"""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

from ssr.config import Labels, Prediction
from ssr.running.programs import existing, run
from workflow_scripts import evaluation_flags as common


def main(arguments: Namespace) -> None:
    """Count label maps against masks."""
    from ssr.evaluation.evaluation import count, count_labels, quality, write_evaluation
    from ssr.evaluation.image_scores import write_image_counts

    names = common.class_names(arguments)
    shards = common.shards_and_masks(arguments, arguments.pngs)
    tally = count(partial(count_labels, classes=len(names)), shards, arguments.threads)
    document = common.heading(arguments, shards) | _how(arguments) | quality(tally.total, names)
    write_evaluation(arguments.output, document | common.protocol(document))
    if arguments.images:
        write_image_counts(arguments.images, tally.images)


def _how(arguments: Namespace) -> dict[str, Any]:
    """How the label maps were made."""
    from ssr.evaluation.thresholds import label_threshold

    if arguments.stage == "pseudo_label":
        threshold = label_threshold(arguments.labels.threshold, arguments.threshold_from)
        return {"crf": arguments.labels.crf is not None} | threshold.entries
    if arguments.stage == "prediction":
        return {}
    return {"crf": True} | common.test_time(arguments.prediction)


if __name__ == "__main__":
    flags = common.evaluation_parser(__doc__, ["pseudo_label", "prediction", "prediction_crf"])
    flags.add_argument("--pngs", type=existing, nargs="+", required=True)
    flags.add_argument("--labels", type=Labels.model_validate_json, help="pseudo_label: settings")
    flags.add_argument(
        "--threshold-from", type=Path, nargs="?", help="pseudo_label: evaluation on tune, if any"
    )
    flags.add_argument(
        "--prediction", type=Prediction.model_validate_json, help="prediction_crf: settings"
    )
    run(main, flags)
