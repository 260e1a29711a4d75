"""What the evaluation programs share: their flags, and the figures that all of them write."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssr.config import Prediction
from ssr.data.source import SPLITS
from ssr.running.programs import existing, parser

if TYPE_CHECKING:
    from ssr.evaluation.evaluation import Shard


def evaluation_parser(description: str | None, stages: list[str]) -> ArgumentParser:
    """A parser with the flags of every evaluation."""
    flags = parser(description)
    flags.add_argument("--stage", choices=stages, required=True)
    flags.add_argument("--split", choices=SPLITS, required=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--masks", type=existing, required=True, help="table of the masks")
    flags.add_argument("--root", type=Path, required=True, help="folder of the data set")
    flags.add_argument("--classes", nargs="+", required=True, help="names, without background")
    flags.add_argument("--only", type=existing, nargs="*", default=[], help="file of ids")
    flags.add_argument("--output", type=Path, required=True, help="JSON")
    flags.add_argument(
        "--images", type=Path, nargs="?", help="Parquet table of each image's confusion"
    )
    return flags


def shards_and_masks(arguments: Namespace, paths: list[Path]) -> list[Shard]:
    """The files to evaluate, each with the masks of its images."""
    from ssr.data.index import Index
    from ssr.data.label_files import read_ids
    from ssr.data.masks import Masks
    from ssr.evaluation.evaluation import pair_with_masks

    images = Index.read(arguments.index).split(arguments.split)
    if arguments.only:
        listed = {image_id for path in arguments.only for image_id in read_ids(path)}
        images = [image for image in images if image.id in listed]
        shards = {image.shard for image in images}
        paths = [path for path in paths if path.name.partition(".")[0] in shards]
    return pair_with_masks(paths, images, Masks.read(arguments.masks, arguments.root))


def class_names(arguments: Namespace) -> list[str]:
    """All classes by their index."""
    return ["background", *arguments.classes]


def heading(arguments: Namespace, shards: list[Shard]) -> dict[str, Any]:
    """What was evaluated; a later key of the same name overrides these."""
    return {
        "stage": arguments.stage,
        "split": arguments.split,
        "images": sum(len(shard.masks.ids) for shard in shards),
        "crf": False,
        "scales": None,
        "flip": None,
        "threshold": None,
        "threshold_from": None,
        "miou_given_labels": None,
    }


def protocol(document: Mapping[str, Any]) -> dict[str, str]:
    """published: on the very split whose masks chose the threshold or the heads; else held_out."""
    origin = document["threshold_from"] or {}
    seen = document["split"] in ("tune", origin.get("split"))
    return {"protocol": "published" if seen else "held_out"}


def test_time(prediction: Prediction) -> dict[str, Any]:
    """How the segmenter was asked."""
    return {"scales": list(prediction.scales), "flip": prediction.flip}
