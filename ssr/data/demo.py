"""Format `demo`: a folder made by make_demo_dataset, whose ids follow from its settings alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ssr.config import Data, Demo


def positions(demo: Demo) -> dict[str, range]:
    """Which scenes of one endless series each split takes; no two splits share a scene.

    Training scenes come last, so that to have more of them changes no other split.
    """
    tune = range(demo.val, demo.val + demo.tune)
    train = range(tune.stop, tune.stop + demo.train)
    return {"train": train, "tune": tune, "val": range(demo.val)}


def image_id(position: int) -> str:
    """The id of the image of a scene."""
    return f"demo_{position:06d}"


def list_ids(settings: Data) -> dict[str, list[str]]:
    """Ids of each split, known before the images are made."""
    made = {split: list(map(image_id, own)) for split, own in positions(settings.demo).items()}
    splits = settings.splits.model_dump()
    return {split: made.get(value, []) if value else [] for split, value in splits.items()}


def list_files(settings: Data, splits: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """The image of each id, relative to the root; labels.csv is an input of the index stage."""
    return (f"images/{image_id}.png" for ids in splits.values() for image_id in ids)
