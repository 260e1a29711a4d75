"""What a method gains, in mIoU, over what it is compared with, and how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssr.evaluation.bootstrap import draws, interval, resampled_miou
from ssr.evaluation.image_scores import beside, read_areas

Key = tuple[str, str]
"""A method and a stage."""

_START = "initial_cam"


@dataclass(frozen=True)
class _Resampled:
    """The images of an evaluation, and its mIoU of all of them, then of each resample."""

    ids: tuple[str, ...]
    miou: NDArray[np.float64]

    @classmethod
    def of(cls, evaluation: Path, classes: int) -> _Resampled:
        ids, areas = read_areas(beside(evaluation), classes)
        if not ids:
            return cls((), np.full(1, np.nan))
        each_once = np.ones((1, len(ids)))
        drawn = chain([each_once], draws(len(ids)))
        return cls(tuple(sorted(ids)), resampled_miou(areas[np.argsort(ids)], drawn))


def differences(
    evaluations: Mapping[Key, Sequence[Path]], classes: int, bounds: Collection[str] = ()
) -> dict[Key, list[dict[str, Any]]]:
    """The difference in mIoU of each method and stage to those that it is compared with.

    Those are the method's own initial CAM, the first method at the same stage, and the best one
    there, each once. There is none between what is the same, or is of different images.

    Args:
        evaluations: of each method and stage, one for every seed; the methods in their order.
            Beside each lie the counts of its images.
        classes: with the background.
        bounds: methods that no other is to beat, and so never the best.

    Returns:
        by method and stage: to_method and to_stage, the difference of the means over the seeds, and
        low and high, the ends of its interval (`bootstrap.CONFIDENCE`), all as fractions.
    """
    paths = dict.fromkeys(path for files in evaluations.values() for path in files)
    resampled = {path: _Resampled.of(path, classes) for path in paths}
    found = {key: [resampled[path] for path in files] for key, files in evaluations.items()}
    return {
        key: [
            _difference(found[key], found[other], other)
            for other in _opponents(key, found, bounds)
            if evaluations[key] != evaluations[other] and _paired(found[key] + found[other])
        ]
        for key in found
    }


def _opponents(
    key: Key, found: Mapping[Key, Sequence[_Resampled]], bounds: Collection[str]
) -> Iterator[Key]:
    method, stage = key
    methods = [name for name, other in found if other == stage and name not in bounds] or [method]
    first, *_ = (name for name, _ in found)
    best = max(methods, key=lambda name: np.nan_to_num(_mean(found[name, stage])[0], nan=-1))
    for other in dict.fromkeys([(method, _START), (first, stage), (best, stage)]):
        if other in found:
            yield other


def _paired(runs: Sequence[_Resampled]) -> bool:
    return len({run.ids for run in runs}) == 1 and all(np.isfinite(run.miou[0]) for run in runs)


def _mean(runs: Sequence[_Resampled]) -> NDArray[np.float64]:
    return np.asarray(np.mean([run.miou for run in runs], axis=0))


def _difference(
    runs: Sequence[_Resampled], others: Sequence[_Resampled], other: Key
) -> dict[str, Any]:
    gained = _mean(runs) - _mean(others)
    low, high = interval(gained[1:])
    method, stage = other
    found = {"difference": float(gained[0]), "low": low, "high": high}
    return {"to_method": method, "to_stage": stage, **found}
