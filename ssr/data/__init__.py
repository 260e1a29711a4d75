"""Data sets: which images there are, in which split, with which labels and masks."""

from ssr.data.source import SPLITS
from ssr.data.splits import cam_list, count_images, shard_names, split_ids

__all__ = ["SPLITS", "cam_list", "count_images", "shard_names", "split_ids"]
