"""Print what VOC, COCO and ten million photographs take, as the table of docs/performance.md.

    python -m benchmarks.scale_table

Nothing is run: seconds and bytes of an image are those that `ssr init` reckons with. Stages with
shards are shared evenly among jobs; a training is one job, whose core does all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ssr.config import DEFAULT_METHODS
from ssr.config.methods import merge
from ssr.config.settings import parse_config
from ssr.config.shards import shard_size
from ssr.init.costs import (
    MEASURED_PATCHES,
    PEAK_MEMORY,
    ROUND,
    RUN,
    SAMPLE,
    Cost,
    estimate,
    learned,
    stored,
)
from ssr.running.machine import Machine

REPOSITORY = Path(__file__).parent.parent
INDEX = Cost("index_dataset", 0.0013)
"""Of an image and its mask: docs/voc_coco.md."""
INDEX_PROCESSES = 8
CLUSTERED = 0.00024
"""Seconds of an image of train in a round of clustering."""
PLACES = (
    ("16 cores", 16, 0),
    ("16 cores and an H100", 16, 1),
    ("64 jobs, a core each", 64, 0),
    ("64 jobs, a core and an H100 each", 64, 64),
)
ONE_CORE = Machine(cores=1, memory=10**12)
# Bytes that a job takes of a few images, and of each more; as rules/resources.smk has them.
IN_SHARD, IN_INDEX, IN_CLUSTERS = (PEAK_MEMORY, 17_000), (0.3e9, 3_200), (0.7e9, 20_000)
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
    shards = sum(-(-count // size) for count in data_set.images.values())
    found = {"images": f"{images:,}", "shards": f"{shards:,} of {size:,}"}
    learning = [*learned(config, data_set.images, larger)]
    pooled = [each for each in learning if each[0] == SAMPLE]
    trained = [each for each in learning if each[0] != SAMPLE]
    for where, cores, gpus in PLACES:
        parallel = min(cores, shards), min(gpus, shards)
        kept = seconds(stored(config, data_set.images), *parallel) * larger
        shared = kept + seconds(pooled, *parallel)
        found[f"stages with shards: {where}"] = span(shared)
    for what, gpus in (("core", 0), ("GPU", 1)):
        found[f"trainings, one job each: a {what}"] = span(RUN.core + seconds(trained, 1, gpus))
    clustered = ROUND.core + CLUSTERED * data_set.images["train"]
    found["`cluster_prototypes`, each round, one job: a core"] = span(clustered)
    index = INDEX.core * images / INDEX_PROCESSES
    found[f"`index_dataset`, one job: {INDEX_PROCESSES} cores"] = span(index)
    for job, (few, more), count in (
        ("the largest job of a shard", IN_SHARD, size),
        ("`index_dataset`", IN_INDEX, images),
        ("`cluster_prototypes`", IN_CLUSTERS, data_set.images["train"]),
    ):
        found[f"memory of {job}"] = f"{(few * max(1, larger) + more * count) / 1e9:.1f} GB"
    found["disk (features)"] = f"{disk.size / 1e12:.2f} TB ({disk.features / 1e12:.2f})"
    return found


def seconds(costs: Iterable[tuple[Cost, float]], cores: int, gpus: int) -> float:
    """Of all together, shared by so many cores, or GPUs where there are some and they are used."""
    return sum(
        count * (cost.gpu / gpus if gpus and cost.gpu else cost.core / cores)
        for cost, count in costs
    )


def span(duration: float) -> str:
    """Seconds as minutes, hours or days."""
    minutes = duration / 60
    if minutes < 100:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 100 * 60 else f"{minutes / 60 / 24:,.0f} days"


if __name__ == "__main__":
    main()
