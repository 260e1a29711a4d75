"""How long a run takes and what it leaves, from what docs/performance.md has measured.

Seconds of one core are of photographs with config/photographs.yaml, and grow with the patches;
those of a GPU are of an H100, in float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ssr.config import Config
from ssr.config.coverage import FOLDERS, IMPORTED, folder_of, is_evaluated, splits_of, why_never
from ssr.config.methods import method_config, owner
from ssr.running.machine import Machine

MEASURED_PATCHES = 720
"""Of an image, on average."""
PEAK_MEMORY = 2.0e9
"""Bytes of the largest job."""


class Cost(NamedTuple):
    """What a rule takes of each image or the like: seconds of a core, or of a GPU; bytes it leaves.

    `gpu` is None where none is used, or where it was not measured.
    """

    rule: str
    core: float
    gpu: float | None = None
    size: float = 0


PER_IMAGE: Mapping[str, Cost] = {
    "features": Cost("extract_features", 1.65, 1 / 107, 3_760_000),
    "superpixels": Cost("segment_superpixels", 0.064, None, 30_300),
    "initial_cam": Cost("activate_initial_cams", 0.76, 1 / 163, 7_500),
    "aligned_cam": Cost("activate_aligned_cams", 0.67, 1 / 163, 7_500),
    "refined_cam": Cost("refine_cams", 0.030, None, 7_500),
    "pseudo_label": Cost("label_pixels", 0.46, None, 6_900),
    "prediction": Cost("predict_logits", 5.8, 1 / 17.2, 32_600),
    "prediction_crf": Cost("refine_predictions", 0.77, None, 3_800),
}
"""By the name of the stage."""
LOOK = Cost("choose_heads", 0.48, 1 / 163)
"""Of an image of tune, at each look."""
SAMPLE = Cost("pool_samples", 0.13)
"""Of an image of train; where patches are pooled behind what is trained, in each round as well."""
ROUND = Cost("cluster_prototypes", 1.6)
ITERATION = Cost("align_prototypes", 0.056)
CROP, CROP_SIDE = Cost("train_segmenter", 1.0, 1 / 34), 320
"""Of a crop of this side, in pixels."""
RUN = Cost("all others", 29, None, 149_000_000)
"""Of all other rules together: backbones, texts, heads, segmenter, evaluations, report."""


@dataclass(frozen=True)
class Estimate:
    """Seconds of a run, bytes of all that it leaves, and of its features alone."""

    seconds: float
    size: float
    features: float


def estimate(
    config: Config, images: Mapping[str, int], patches: float, machine: Machine
) -> Estimate:
    """What a run takes on an idle machine whose cores share the work evenly.

    Args:
        config: all settings.
        images: how many each split has.
        patches: of an image, the mean over all.
        machine: where it runs.
    """
    larger = patches / MEASURED_PATCHES
    cores = machine.jobs(PEAK_MEMORY * max(1, larger))
    kept = [*stored(config, images)]
    costs = [(RUN, 1), *((cost, count * larger) for cost, count in kept)]
    seconds = sum(
        count * (cost.gpu if machine.gpu and cost.gpu else cost.core / cores)
        for cost, count in (*costs, *learned(config, images, larger))
    )
    features = PER_IMAGE["features"]
    # Mostly attention between all pairs of patches.
    pairs = sum(count for cost, count in kept if cost == features) * features.size * larger**2
    rest = sum(count * cost.size for cost, count in costs if cost != features)
    return Estimate(seconds, pairs + rest, pairs)


def stored(config: Config, images: Mapping[str, int]) -> Iterator[tuple[Cost, int]]:
    """The stages of which something is stored, a job for each shard, with their images' number."""
    for stage in FOLDERS:
        for method in config.methods:
            if folder_of(config, method, stage) == IMPORTED:
                continue
            if owner(config, method, stage) == method and not why_never(config, method, stage):
                count = sum(images[split] for split in splits_of(config, method, stage))
                yield PER_IMAGE[stage], count


def learned(
    config: Config, images: Mapping[str, int], larger: float
) -> Iterator[tuple[Cost, float]]:
    """The trainings of all methods, one job each, with the number of what they learn from.

    `larger`: patches of an image, in relation to those measured.
    """
    aligned = [name for name in config.methods if method_config(config, name).alignment.enabled]
    for _ in {owner(config, name, "samples") for name in aligned}:
        yield SAMPLE, images["train"] * larger
    for method in config.methods:
        own = method_config(config, method)
        if own.alignment.enabled and owner(config, method, "heads") == method:
            if own.prototypes.pooling == "after":
                yield SAMPLE, own.alignment.rounds * images["train"] * larger
            yield ROUND, own.alignment.rounds
            yield ITERATION, own.alignment.rounds * own.alignment.iterations
            if is_evaluated(config) and own.alignment.stop == "tune":
                looks = 1 + own.alignment.rounds * own.alignment.looks
                yield LOOK, looks * images["tune"] * larger
        if method in config.segmenter_methods and owner(config, method, "segmenter") == method:
            area = (own.segmenter.crop_size / CROP_SIDE) ** 2
            yield CROP, own.segmenter.iterations * own.segmenter.batch_size * area
