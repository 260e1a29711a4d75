"""Print what VOC, COCO and ten million photographs take, as the table of docs/performance.md.

    python -m benchmarks.scale_table

Nothing is run: seconds and bytes of an image are those that `ssr init` reckons with. Stages with
shards are shared evenly among jobs; a training is one job, whose core does all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ssr.config import DEFAULT_METHODS, Config
from ssr.config.methods import merge
from ssr.config.settings import parse_config
from ssr.config.shards import shard_size
from ssr.init.costs import MEASURED_PATCHES, RUN, Cost, estimate, learned, stored
from ssr.running.machine import Machine

REPOSITORY = Path(__file__).parent.parent
INDEX = Cost("index_dataset", 0.004)
"""Of an image and its mask: docs/voc_coco.md."""
INDEX_PROCESSES = 8
JOBS = 64
ONE_CORE = Machine(cores=1, memory=10**12)
# Beyond what a job takes of a few images, by rules/resources.smk.
KEPT = {"index_dataset": (0.3e9, 2_600), "cluster_prototypes": (1.5e9, 33_000)}
ONLY_SSR = {"methods": {name: None for name in DEFAULT_METHODS if name != "ssr"}}
UNMASKED = {"data": {"masks": None}, "labels": {"threshold": 0.5}}


class DataSet(NamedTuple):
    """A preset, what is laid over it, the images of each split, and patches of an image."""

    preset: str
    changes: Mapping[str, Any]
    images: Mapping[str, int]
    patches: int


DATA_SETS = {
    "VOC": DataSet("voc", {}, {"train": 10_082, "tune": 500, "val": 1_449, "test": 0}, 24 * 32),
    "COCO": DataSet("coco", {}, {"train": 81_081, "tune": 1_000, "val": 40_137, "test": 0}, 1200),
    "10 M": DataSet(
        "photographs",
        UNMASKED | {"images": {"max_side": 512}, "data": {"masks": None, "shard_size": "auto"}},
        {"train": 10**7, "tune": 0, "val": 0, "test": 0},
        24 * 32,
    ),
}


def main() -> None:
    """Print the rows."""
    print("| | " + " | ".join(DATA_SETS) + " |")
    print("|---|" + "---|" * len(DATA_SETS))
    columns = [rows(data_set) for data_set in DATA_SETS.values()]
    for title in columns[0]:
        print(f"| {title} | " + " | ".join(column[title] for column in columns) + " |")


def rows(data_set: DataSet) -> dict[str, str]:
    """Title and cell of each row."""
    files = [REPOSITORY / "config.yaml", REPOSITORY / f"config/{data_set.preset}.yaml"]
    layers = [*(yaml.safe_load(file.read_text()) for file in files), ONLY_SSR, data_set.changes]
    config = parse_config(reduce(merge, layers))
    images, larger = sum(data_set.images.values()), data_set.patches / MEASURED_PATCHES
    size = shard_size(config.data, images)
    disk = estimate(config, data_set.images, data_set.patches, ONE_CORE)
    index = INDEX.core * images / INDEX_PROCESSES
    found = {"images": f"{images:,}", "shards": f"{-(-images // size):,} of {size:,}"}
    for what, gpu in (("cores", False), ("GPUs", True)):
        shared, alone = seconds(config, data_set.images, larger, gpu)
        found[f"stages with shards on {JOBS} {what}"] = span(shared / JOBS)
        found[f"the same on one of the {what}"] = span(shared)
        found[f"trainings, a job each, with {what}"] = span(alone)
    found[f"index, {INDEX_PROCESSES} processes"] = span(index)
    for rule, (besides, each) in KEPT.items():
        found[f"memory of `{rule}`"] = f"{(besides + each * images) / 1e9:.1f} GB"
    found["disk (features)"] = f"{disk.size / 1e12:.2f} TB ({disk.features / 1e12:.2f})"
    return found


def seconds(
    config: Config, images: Mapping[str, int], larger: float, gpu: bool
) -> tuple[float, float]:
    """Of all stages with shards, and of all trainings, on one core or one GPU."""

    def total(costs: Any) -> float:
        return sum(((gpu and cost.gpu) or cost.core) * count for cost, count in costs)

    shared = total((cost, count * larger) for cost, count in stored(config, images))
    return shared, RUN.core + total(learned(config, images, larger))


def span(duration: float) -> str:
    """Seconds as hours, or days."""
    hours = duration / 3600
    return f"{hours:.1f} h" if hours < 100 else f"{hours / 24:,.0f} days"


if __name__ == "__main__":
    main()
