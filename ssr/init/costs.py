"""How long a run takes and what it leaves, from what docs/performance.md has measured.

Seconds of one core are of ViT-B/16, photographs of 24×32 patches and the settings of
config/photographs.yaml, and grow with the patches; those of a GPU are of an H100, in float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ssr.config import Config
from ssr.config.coverage import FOLDERS, is_evaluated, splits_of, why_never
from ssr.config.methods import method_config, owner
from ssr.init.machine import Machine

MEASURED_PATCHES = 24 * 32
PEAK_MEMORY = 2.0e9
"""Bytes of the largest job."""


class Cost(NamedTuple):
    """What its rule takes for an image: seconds of a core, or of a GPU if it uses one; bytes."""

    rule: str
    core: float
    gpu: float | None
    size: float


PER_IMAGE: Mapping[str, Cost] = {
    "features": Cost("extract_features", 1.5, 1 / 107, 3_790_000),
    "superpixels": Cost("segment_superpixels", 0.11, None, 16_300),
    "initial_cam": Cost("activate_initial_cams", 1.0, 1 / 163, 10_000),
    "aligned_cam": Cost("activate_aligned_cams", 1.1, 1 / 163, 10_000),
    "refined_cam": Cost("refine_cams", 0.21, None, 10_000),
    "pseudo_label": Cost("label_pixels", 0.06, None, 5_300),
    "prediction": Cost("predict_logits", 3.7, 1 / 17.2, 30_400),
    "prediction_crf": Cost("refine_predictions", 0.9, None, 4_700),
}
"""By the name of the stage."""
CROP = Cost("train_segmenter", 2.5 / 4, 1 / 34, 0)
CROP_SIDE = 320
SAMPLE = Cost("cluster_prototypes", 0.22, None, 0)
ITERATION = Cost("align_prototypes", 5.4 / 50, None, 0)


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
    stored = [*_stored(config, images)]
    costs = [(cost, count * larger) for cost, count in stored]
    seconds = sum(
        count * (cost.gpu if machine.gpu and cost.gpu else cost.core / cores)
        for cost, count in (*costs, *_learned(config, images, larger))
    )
    features = PER_IMAGE["features"]
    # Mostly attention between all pairs of patches.
    pairs = sum(count for cost, count in stored if cost == features) * features.size * larger**2
    rest = sum(count * cost.size for cost, count in costs if cost != features)
    return Estimate(seconds, pairs + rest, pairs)


def _stored(config: Config, images: Mapping[str, int]) -> Iterator[tuple[Cost, int]]:
    """The stages of which something is stored, with the number of their images."""
    for stage in FOLDERS:
        for method in config.methods:
            if owner(config, method, stage) == method and not why_never(config, method, stage):
                count = sum(images[split] for split in splits_of(config, method, stage))
                yield PER_IMAGE[stage], count


def _learned(
    config: Config, images: Mapping[str, int], larger: float
) -> Iterator[tuple[Cost, float]]:
    """The trainings of all methods, with the number of what they learn from."""
    for method in config.methods:
        own = method_config(config, method)
        if own.alignment.enabled and owner(config, method, "heads") == method:
            yield SAMPLE, own.alignment.rounds * images["train"] * larger
            yield ITERATION, own.alignment.rounds * own.alignment.iterations
            if is_evaluated(config) and own.alignment.stop == "tune":
                looks = 1 + own.alignment.rounds * own.alignment.looks
                yield PER_IMAGE["aligned_cam"], looks * images["tune"] * larger
        if method in config.segmenter_methods and owner(config, method, "segmenter") == method:
            area = (own.segmenter.crop_size / CROP_SIDE) ** 2
            yield CROP, own.segmenter.iterations * own.segmenter.batch_size * area
