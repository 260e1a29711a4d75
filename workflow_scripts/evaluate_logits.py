"""Logits of the segmenter and masks in; their quality without a CRF out.

Beside the plain mIoU stands that of logits of the image's labels and the background alone, where
labels are known.
"""

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
    plain, given = tally.total
    document = common.heading(arguments, shards) | common.test_time(arguments.prediction)
    document |= quality(plain, names)
    if any(any(shard.labels.values()) for shard in shards):
        document["miou_given_labels"] = quality(given, names)["miou"]
    write_evaluation(arguments.output, document | common.protocol(document))
    if arguments.images:
        write_image_counts(arguments.images, tally.images)


if __name__ == "__main__":
    flags = common.evaluation_parser(__doc__, ["prediction"])
    flags.add_argument("--logits", type=existing, nargs="+", required=True)
    flags.add_argument("--prediction", type=Prediction.model_validate_json, required=True)
    run(main, flags)
