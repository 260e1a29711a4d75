"""Data sets: which images there are, in which split, with which labels and masks."""

from ssr.data.source import SPLITS
from ssr.data.splits import find_shards, shard_names, split_ids

__all__ = ["SPLITS", "find_shards", "shard_names", "split_ids"]
