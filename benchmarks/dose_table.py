"""The table and the figure of docs/results.md's "When the method pays".

`python -m benchmarks.dose_table COUNTS [--figure docs/images/dose_response.svg]`, with COUNTS from
`benchmarks.dose_response`. Intervals are 95 % of a paired bootstrap over images; CLIPs of one dose
count as its seeds, of which differences are averaged.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.dose_scenes import ALONE, SHIPPED

RESAMPLES = 1000
Counts = NDArray[np.int32]
Dose = Sequence[Mapping[str, Counts]]
Pair = tuple[str, str]
LOSSES = ("cross_modal", "feature", "in_modal")
PAIRS: dict[str, Pair] = {
    **{f"{loss} {done}": (f"{loss}/{done}", "initial") for loss in LOSSES for done in (50, 150)},
    "CLIP's attention": (f"{ALONE}/none", "initial"),
    **{f"+ DINO {name}": (f"{name}/none", f"{ALONE}/none") for name in ("last", SHIPPED)},
    **{
        f"{mask}, {name}": (f"{name}/{mask}", f"{name}/none")
        for name in (ALONE, "last", SHIPPED)
        for mask in ("box", "superpixel")
    },
    **{
        f"chosen {mask}, {name}": (f"chosen/{name}/{mask}", f"chosen/{name}/none")
        for name in (ALONE, "last", SHIPPED)
        for mask in ("box", "superpixel")
    },
    "CMPA before SGC": (f"aligned/{SHIPPED}/superpixel", f"{SHIPPED}/superpixel"),
    "whole method": (f"aligned/{SHIPPED}/superpixel", "initial"),
}
SHOWN = {
    "CMPA, 150 iterations": {f"{loss} 150": loss.replace("_", "-") for loss in LOSSES},
    "Refinement": {
        "CLIP's attention": "CLIP's attention, no mask",
        "superpixel, alone": "SGC − no mask, CLIP's attention",
        "superpixel, shipped": "SGC − no mask, fused",
        "+ DINO last": "DINO (no masks seen) − CLIP alone",
    },
}


def mean_iou(confusions: NDArray[np.number]) -> NDArray[np.float64]:
    """In %, of (..., C, C) confusions; classes that are nowhere count nowhere."""
    right = np.einsum("...ii->...i", confusions)
    union = confusions.sum(-1) + confusions.sum(-2) - right
    share = np.where(union > 0, right / np.maximum(union, 1), np.nan)
    return np.asarray(100 * np.nanmean(share, -1))


def compare(dose: Dose, pair: Pair) -> tuple[float, float, float]:
    """The mean difference over seeds, and its interval over images."""
    images = len(next(iter(dose[0].values())))
    drawn = np.random.default_rng(0).multinomial(images, np.full(images, 1 / images), RESAMPLES)
    weights = np.concatenate([np.ones((1, images), int), drawn])
    resampled = np.mean(
        [
            mean_iou(np.tensordot(weights, own[pair[0]], 1))
            - mean_iou(np.tensordot(weights, own[pair[1]], 1))
            for own in dose
        ],
        axis=0,
    )
    low, high = np.percentile(resampled[1:], [2.5, 97.5])
    return float(resampled[0]), float(low), float(high)


def read(folder: Path, kind: str) -> Mapping[str, tuple[Dose, Sequence[dict[str, float]]]]:
    """Counts and facts of the CLIPs of every dose."""
    found: dict[str, tuple[list[Mapping[str, Counts]], list[dict[str, float]]]] = {}
    start = f"{kind}/"
    for file in sorted(folder.glob("*.npz")):
        arrays = np.load(file)
        names = [key for key in arrays.files if key.startswith(start)]
        if names:
            dose, facts = found.setdefault(file.stem.split("_")[0], ([], []))
            dose.append({key.removeprefix(start): arrays[key] for key in names})
            facts.append(json.loads(str(arrays["facts"])))
    return found


def print_table(folder: Path, kind: str) -> None:
    """All that was measured of one kind of CAM, a line each."""
    for name, (dose, facts) in read(folder, kind).items():
        initial = [float(mean_iou(own["initial"].sum(0))) for own in dose]
        print(f"\n{kind}, {name}: initial {np.mean(initial):.1f} ({np.round(initial, 1)})")
        numbers = [key for key, value in facts[0].items() if isinstance(value, float)]
        print(
            {
                key: round(float(np.mean([fact[key] for fact in facts if key in fact])), 3)
                for key in numbers
            }
        )
        for label, pair in PAIRS.items():
            kept = [own for own in dose if set(pair) <= own.keys()]
            if kept:
                mean, low, high = compare(kept, pair)
                print(f"  {label:28s} {mean:+.1f} [{low:+.1f}, {high:+.1f}]  CLIPs: {len(kept)}")


def draw_figure(folder: Path, path: Path) -> None:
    """What each part adds, against the initial CAM (map), a point for each CLIP."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = path.stem
    from matplotlib import pyplot

    clips = [[own] for dose, _ in read(folder, "similarity").values() for own in dose]
    clips.sort(key=lambda clip: float(mean_iou(clip[0]["initial"].sum(0))))
    figure, axes = pyplot.subplots(1, len(SHOWN), figsize=(9, 3.4), sharex=True)
    for axis, (title, lines) in zip(axes, SHOWN.items(), strict=True):
        axis.axhline(0, color="0.6", linewidth=0.8)
        for label, name in lines.items():
            kept = [clip for clip in clips if set(PAIRS[label]) <= clip[0].keys()]
            levels = [float(mean_iou(clip[0]["initial"].sum(0))) for clip in kept]
            means, lows, highs = np.array([compare(clip, PAIRS[label]) for clip in kept]).T
            errors = [means - lows, highs - means]
            axis.errorbar(levels, means, errors, marker="o", markersize=4, capsize=2, label=name)
        axis.set(title=title, xlabel="initial CAM, mIoU")
        axis.legend(fontsize=7)
    axes[0].set_ylabel("added mIoU")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("counts", type=Path)
    flags.add_argument("--figure", type=Path)
    chosen = flags.parse_args()
    for score in ("similarity", "gradient"):
        print_table(chosen.counts, score)
    if chosen.figure:
        draw_figure(chosen.counts, chosen.figure)
