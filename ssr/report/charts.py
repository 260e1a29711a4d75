"""The charts of a run, by the section of the page that shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from ssr.report import curves
from ssr.report.confusion import draw_confusion
from ssr.report.embedding import Embedding, draw_embedding
from ssr.report.evaluations import Evaluations
from ssr.report.files import figure_files
from ssr.report.stages import STAGES
from ssr.report.tables import per_cent

Histories = Mapping[str, Mapping[str, Sequence[Path]]]


@dataclass(frozen=True)
class Chart:
    """A chart as PNG, PDF and SVG for a light page and as PNG for a dark one, and what it shows."""

    name: str
    files: Mapping[str, bytes]
    dark: bytes
    alt: str
    caption: str


Charts = Mapping[str, Sequence[Chart]]


def draw_charts(evaluations: Evaluations, methods: Sequence[str], histories: Histories) -> Charts:
    """All charts; of the first of `methods` where a chart shows only one.

    Where nothing was evaluated there are only those of the training.
    """
    method = methods[0]
    training = [_losses(what, paths) for what, paths in histories.items() if paths]
    if not evaluations.reported:
        return {"stages": [], "thresholds": [], "classes": [], "training": training}
    return {
        "stages": [_stages(evaluations, methods)],
        "thresholds": [
            _chart(
                "thresholds",
                lambda: curves.draw_thresholds(evaluations, method),
                f"mIoU of the CAMs of {method} over the background threshold",
                "Which threshold turns a CAM into labels is chosen on the tuning split (thick "
                "lines, a marker where the best one is). Thin lines: the same on the reported "
                "split, which has no say unless evaluation.protocol is published.",
            )
        ],
        "classes": [_classes(evaluations, method), _confusion(evaluations, method)],
        "training": training,
    }


def looks_chart(seen: Mapping[str, Path]) -> Chart:
    """How good the CAMs of each method were at every look at its heads, and which were chosen."""
    return _chart(
        "looks",
        lambda: curves.draw_looks(seen),
        f"mIoU of the aligned CAMs of {', '.join(seen)} on tune over the iterations of CMPA",
        "mIoU of the aligned CAMs on the tuning split at every look at the heads of CMPA, each at "
        "its best threshold; iteration 0 is the start, and the large marker stands on the heads "
        "that are used.",
    )


def embedding_chart(embedding: Embedding, names: Sequence[str]) -> Chart:
    """The features of images and texts in the plane; `names` of all classes, background first."""
    return _chart(
        "embedding",
        lambda: draw_embedding(embedding, names),
        "t-SNE of image features and class texts before and after the alignment",
        f"t-SNE of {len(embedding.labels)} pooled image features (small) and of the texts of "
        f"their {len(embedding.classes)} classes (large, outlined), before and after the heads of "
        "the alignment. Distances between far groups mean nothing in t-SNE.",
    )


def _chart(name: str, draw: Callable[[], Figure], alt: str, caption: str) -> Chart:
    with curves.theme(dark=False):
        light = figure_files(draw())
    with curves.theme(dark=True):
        dark = figure_files(draw(), ("png",))["png"]
    return Chart(name, light, dark, alt, caption)


def _stages(evaluations: Evaluations, methods: Sequence[str]) -> Chart:
    found = {stage: evaluations.of(methods[0], stage) for stage in STAGES}
    values = [f"{STAGES[stage]} {per_cent(own['miou'])}" for stage, own in found.items() if own]
    return _chart(
        "stages",
        lambda: curves.draw_stages(evaluations, methods),
        f"mIoU in per cent along the stages; {methods[0]}: {', '.join(values)}",
        f"mIoU after every stage, a line per method; the figures are those of {methods[0]}. "
        "Predictions, unlike the stages before them, don't know the labels of their image: no line "
        "leads to them. Bars, where there are several seeds: the standard deviation over them.",
    )


def _classes(evaluations: Evaluations, method: str) -> Chart:
    last = STAGES[evaluations.stages(method)[-1]]
    return _chart(
        "classes",
        lambda: curves.draw_classes(evaluations, method),
        f"IoU of every class; bars are the {last} of {method}",
        f"IoU of every class. Bars: {last} of {method}; markers: stages before it.",
    )


def _confusion(evaluations: Evaluations, method: str) -> Chart:
    stage = evaluations.stages(method)[-1]
    figures = evaluations.of(method, stage) or {}
    return _chart(
        "confusion",
        lambda: draw_confusion(figures),
        f"Confusion matrix of the {STAGES[stage]} of {method}",
        f"Confusion of {STAGES[stage]} of {method} on {figures['split']}: where the class of the "
        "row is true, so many per cent were answered with the class of the column. The colours "
        "follow the square root, so that small shares can be seen.",
    )


def _losses(what: str, histories: Mapping[str, Sequence[Path]]) -> Chart:
    rounds = "; dotted: a new round, with new prototypes" if what == "alignment" else ""
    return _chart(
        f"loss_{what}",
        lambda: curves.draw_losses(histories, what),
        f"Training loss of the {what} over its iterations",
        f"Training loss of the {what}; thick: running mean{rounds}.",
    )
