"""Logits of the segmenter and masks in; their quality without a CRF out."""

from __future__ import annotations

from argparse import Namespace
from functools import partial

from ssr.config import Prediction
from ssr.running.programs import existing, run
from workflow_scripts import evaluation_flags as common


def main(arguments: Namespace) -> None:
    """Count the largest logits against masks."""
    from ssr.evaluation.evaluation import count, count_logits, quality, write_evaluation
    from ssr.evaluation.image_scores import write_image_counts

    names = common.class_names(arguments)
    shards = common.shards_and_masks(arguments, arguments.logits)
    tally = count(partial(count_logits, classes=len(names)), shards, arguments.threads)
    document = common.heading(arguments, shards) | common.test_time(arguments.prediction)
    write_evaluation(arguments.output, document | quality(tally.total, names))
    if arguments.images:
        write_image_counts(arguments.images, tally.images)


if __name__ == "__main__":
    flags = common.evaluation_parser(__doc__, ["prediction"])
    flags.add_argument("--logits", type=existing, nargs="+", required=True)
    flags.add_argument("--prediction", type=Prediction.model_validate_json, required=True)
    run(main, flags)
