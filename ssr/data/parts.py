"""What stands for the part of a data set that a job works on: the images of a shard or a split.

An index is one file for all images. Jobs that go by the state of their part, not by the date of
that file, are left alone when an image comes, goes or changes elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ssr.config import Data
from ssr.config.shards import shard_size
from ssr.data import folder, voc
from ssr.data.splits import shard_names
from ssr.running.contents import Look, digest_of

Looks = Mapping[str, Look]

# Formats of which the files and labels of each image are there before a run, not made by it.
_FORMATS = {"folder": folder.list_origins, "voc": voc.list_origins}
# Of more, what was seen of each would be too much to go through whenever a run starts.
_MOST_IMAGES = 500_000
# Of more, their split stands for them: a run hands all states to its jobs in one variable of their
# environment, which has room for some 3,500.
_MOST_SHARDS = 3000
# Settings that say which images there are and where they go, not what is said of one.
_OF_THE_WHOLE = ("splits", "tune_images", "shard_size", "demo")


def are_told_apart(settings: Data, splits: Mapping[str, Sequence[str]]) -> bool:
    """Whether the parts of a data set have states of their own."""
    return settings.format in _FORMATS and sum(map(len, splits.values())) <= _MOST_IMAGES


def image_states(
    settings: Data, splits: Mapping[str, Sequence[str]], looks: Looks, others: Sequence[str] = ()
) -> dict[str, str]:
    """What stands for all that the index says of a split or, of not too many, a shard, by its name.

    Args:
        settings: of the data set, whose parts `are_told_apart`.
        splits: sorted ids of each split.
        looks: what stands for the content of each file, as `ssr.running.contents` has it.
        others: what else an index rests on.
    """
    common = [settings.canonical(without=(*_OF_THE_WHOLE, "masks")), *others]
    origins = _FORMATS[settings.format](settings, splits)
    counts = {split: len(ids) for split, ids in splits.items()}
    size = shard_size(settings, sum(counts.values()))
    shards = shard_names(counts, size)
    few = sum(map(len, shards.values())) <= _MOST_SHARDS

    def state(split: str, values: Mapping[str, object]) -> str:
        return f"images {digest_of({'': [split, *common], **values})}"  # no id is empty

    def known(image_id: str) -> list[object]:
        origin = origins[image_id]
        return [origin.labels, *map(looks.get, origin.files)]

    states = {}
    for split, names in shards.items():
        parts = (splits[split][start : start + size] for start in range(0, counts[split], size))
        own = {
            name: state(split, {i: known(i) for i in ids})
            for name, ids in zip(names, parts, strict=True)
        }
        states[split] = state(split, own)
        states |= own if few else {}
    return states


def mask_states(
    settings: Data, splits: Mapping[str, Sequence[str]], looks: Looks, others: Sequence[str] = ()
) -> dict[str, str]:
    """What stands for the masks of each split, as `masks of train`; arguments as above."""
    common = [settings.canonical(without=_OF_THE_WHOLE), *others]

    def state(ids: Sequence[str]) -> str:
        own = {i: looks.get(f"{settings.masks}/{i}.png") for i in ids}
        return f"masks {digest_of({'': common, **own})}"

    return {f"masks of {split}": state(ids) for split, ids in splits.items()}
