"""How many images a shard holds: what `data.shard_size: auto` stands for, once they are counted."""

from __future__ import annotations

from collections.abc import Iterator

from ssr.config import Config, Data
from ssr.config.data import AUTO, FEWEST_PER_SHARD, MOST_SHARDS


def shard_size(data: Data, images: int) -> int:
    """The most images of a shard, of a data set of so many.

    What is chosen doubles: a data set that grows keeps it until there are twice as many images.
    """
    if data.shard_size != AUTO:
        return data.shard_size
    size = FEWEST_PER_SHARD
    while images > size * MOST_SHARDS:
        size *= 2
    return size


def with_shard_size(config: Config, images: int) -> Config:
    """`config` of a data set of so many images, with the number that `auto` stands for."""
    chosen = {"shard_size": shard_size(config.data, images)}
    return config.model_copy(update={"data": config.data.model_copy(update=chosen)})


def shard_doubts(data: Data, images: int) -> Iterator[str]:
    """Whether there are so many shards that planning and queueing their jobs takes its time."""
    size, chosen = (shard_size(each, images) for each in (data, Data(shard_size=AUTO)))
    if images > size * MOST_SHARDS:
        yield (
            f"data.shard_size: {size} makes {-(-images // size)} jobs of each stage; auto makes "
            f"{-(-images // chosen)}, of {chosen} images each"
        )
