"""Our dense CRF beside pydensecrf, on what a run made: time, and whether labels stay.

`python -m benchmarks.crf RESULTS [--method ssr] [--count 20]` takes logits and refined CAMs of as
many images that have masks. The ratio is of processor time, ours over pydensecrf's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import plain
from ssr.config import Crf, Labels
from ssr.data.images import load_image
from ssr.evaluation.metrics import count_confusion, score
from ssr.labelling.crf import contenders, dense_crf
from ssr.labelling.predictions import softmax
from ssr.labelling.pseudo_labels import background_score, enlarge, strongest
from ssr.labels import IGNORE
from ssr.maps import upsample
from ssr.results import Arrays, Results, open_results

Array = NDArray[np.float32]
Way = Callable[[NDArray, Array, Crf], Array]
CONFIDENCE = Labels().confidence
THRESHOLD = 0.4
"""Of the background of CAMs, in place of the one that a run chooses on tune."""


def of_logits(arrays: Arrays, size: tuple[int, int]) -> tuple[Array, NDArray]:
    """Probabilities (C, H, W) of a segmenter, and the classes that they are of."""
    probabilities = softmax(upsample(arrays["logits"], size))
    return probabilities, np.arange(len(probabilities))


def of_cams(arrays: Arrays, size: tuple[int, int]) -> tuple[Array, NDArray]:
    """The same of refined CAMs and their background, (1 + K, H, W)."""
    cams, classes = enlarge(arrays["cams"], size), arrays["classes"]
    background = background_score(strongest(cams, classes)[1], THRESHOLD, "power")
    return np.concatenate([background[None], cams]), np.array([0, *classes])


INPUTS = {"logits": of_logits, "cams/refined": of_cams}


@dataclass(frozen=True)
class Found:
    """What one way gives of an image: labels (H, W), 255 where it isn't sure, and seconds."""

    labels: NDArray
    sure: NDArray
    seconds: float


def found(way: Way, image: NDArray, given: Array, classes: NDArray, settings: Crf) -> Found:
    """The labels of a way, timed."""
    start = time.process_time()
    refined = way(image, given, settings)
    seconds = time.process_time() - start
    labels = classes[refined.argmax(0)]
    return Found(labels, np.where(refined.max(0) < CONFIDENCE, IGNORE, labels), seconds)


def compare(results: Results, stage: str, method: str, count: int) -> str:
    """One line of the table."""
    store, settings, masks = results[f"{stage}/{method}"], results.config.crf, results.masks
    number = len(results.config.data.classes) + 1
    names = [name for name in store if name in masks.ids]
    rows, confusions = [], np.zeros((2, number, number + 1), np.int64)
    for name in names[:: max(1, len(names) // count)][:count]:
        image = load_image(Path(results.config.data.root) / results.images[name].image)
        given, classes = INPUTS[stage](store[name], image.shape[:2])
        ours, theirs = (
            found(way, image, given, classes, settings) for way in (dense_crf, plain.dense_crf)
        )
        apart = [(ours.labels != theirs.labels).mean(), (ours.sure != theirs.sure).mean()]
        rows.append((len(contenders(given, settings)), ours.seconds / theirs.seconds, *apart))
        labels = (ours.labels, theirs.labels)
        confusions += [count_confusion(masks.load(name), own, number) for own in labels]
    contending, ratio, *apart = np.mean(rows, axis=0)
    miou = " ".join(f"{100 * score(own[:, :number]).means['miou']:8.3f}" for own in confusions)
    shares = " ".join(f"{share:10.1e}" for share in apart)
    return f"{stage:14s} {len(rows):6d} {contending:10.1f} {ratio:6.2f} {shares} {miou}"


def main() -> None:
    """Print the table."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("results", type=Path)
    flags.add_argument("--method", default="ssr")
    flags.add_argument("--count", type=int, default=20)
    chosen = flags.parse_args()
    results = open_results(chosen.results)
    print("of             images contenders  ratio      apart   with 255     mIoU    theirs")
    for stage in INPUTS:
        print(compare(results, stage, chosen.method, chosen.count), flush=True)


if __name__ == "__main__":
    main()
