"""Which image belongs to which split and shard: cheap, known before any image is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ssr.config import Data
from ssr.data import demo, folder, voc
from ssr.data.source import SPLITS

_LISTS = {"demo": demo.list_ids, "folder": folder.list_ids, "voc": voc.list_ids}


def split_ids(settings: Data) -> dict[str, list[str]]:
    """Sorted ids of each split, without a look at the images.

    Reads the lists or labels.csv only; for the demo, which may not be made yet, nothing at all.

    Raises:
        InputError: a list or labels.csv is missing.
    """
    return assign(_LISTS[settings.format](settings), settings)


def assign(listed: Mapping[str, Sequence[str]], settings: Data) -> dict[str, list[str]]:
    """Sort the listed ids; without a list for tune, set images aside for it from train."""
    splits = {split: sorted(set(listed[split])) for split in SPLITS}
    if settings.splits.tune is None:
        splits["tune"] = _evenly_spaced(splits["train"], settings.tune_images)
        splits["train"] = sorted(set(splits["train"]) - set(splits["tune"]))
    return splits


def required(settings: Data) -> list[str]:
    """The splits that must hold images: those listed, and tune, which may be set aside."""
    listed = settings.splits.model_dump()
    return [split for split in SPLITS if split == "tune" or listed[split] is not None]


def shard_names(counts: Mapping[str, int], shard_size: int) -> dict[str, list[str]]:
    """Names of the shards of each split, such as train_0003, for splits of these sizes."""
    return {
        split: [f"{split}_{number:04d}" for number in range(-(-count // shard_size))]
        for split, count in counts.items()
    }


def _evenly_spaced(ids: Sequence[str], count: int) -> list[str]:
    count = min(count, len(ids))
    return [ids[(2 * number + 1) * len(ids) // (2 * count)] for number in range(count)]
