"""Charts of the report: mIoU along the stages, thresholds, classes, training losses."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ssr.config.coverage import OF_LABELS
from ssr.errors import InputError
from ssr.report.evaluations import Evaluations
from ssr.report.files import COLUMN_INCHES, PAGE_INCHES
from ssr.report.stages import CAM_STAGES, STAGES

mpl.use("Agg")

# Okabe and Ito's colours, some darker on white, some lighter on black. Shape and dash differ, too.
_ON_WHITE = ("#0072B2", "#D55E00", "#009E73", "#B0588A", "#A87400", "#3C91C2")
_ON_BLACK = ("#56B4E9", "#E8772E", "#20B88F", "#CC79A7", "#E69F00", "#F0E442")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))


@contextmanager
def theme(dark: bool) -> Iterator[None]:
    """Charts drawn inside are for a dark page, or for a light one."""
    ink, page, grid = (
        ("#e8edf2", "#161d26", "#3a4653") if dark else ("#16202a", "#ffffff", "#d8dee5")
    )
    colours = _ON_BLACK if dark else _ON_WHITE
    style: Any = {
        "figure.facecolor": page, "axes.facecolor": page, "savefig.facecolor": page,
        "text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": ink, "axes.titlecolor": ink,
        "xtick.color": ink, "ytick.color": ink, "grid.color": grid, "legend.facecolor": page,
        "legend.edgecolor": grid, "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "axes.axisbelow": True, "font.size": 8.0,
        # A class may have dollar signs in its name.
        "text.parse_math": False, "text.usetex": False,
        # Letters as curves, and ids that follow from the content.
        "svg.fonttype": "path", "svg.hashsalt": "ssr", "pdf.fonttype": 42,
        "axes.prop_cycle": cycler(color=colours),
    }  # fmt: skip
    with mpl.rc_context(style):
        yield


def draw_stages(evaluations: Evaluations, methods: Sequence[str]) -> Figure:
    """mIoU of every stage, one line per method; the first method's values are written out.

    Lines break where predictions begin, which don't know the labels of the image. Over seeds, bars
    as long as the standard deviation stand on both sides of the mean.
    """
    figure, axes = _axes(3.1)
    places = {stage: place for place, stage in enumerate(STAGES)}
    seen = {stage for method in methods for stage in evaluations.stages(method)}
    for number, method in reversed(list(enumerate(methods))):
        stages = evaluations.stages(method)
        values = [_miou(evaluations, method, stage) for stage in stages]
        across = [places[stage] for stage in stages]
        spreads = [_spread(evaluations, method, stage) for stage in stages]
        gap = sum(stage in OF_LABELS for stage in stages)
        points = (np.insert(np.array(these, float), gap, np.nan) for these in (across, values))
        (line,) = axes.plot(*points, label=method, zorder=3 - 0.1 * number, **_look(number))
        if any(spreads):
            axes.errorbar(across, values, spreads, ls="", capsize=3, ecolor=line.get_color())
        if number == 0:
            for place in zip(across, values, spreads, strict=True):
                _write_value(axes, *place)
    shown = [stage for stage in STAGES if stage in seen]
    axes.set_xticks([places[stage] for stage in shown], [STAGES[stage] for stage in shown])
    axes.set_ylabel("mIoU, %")
    axes.margins(y=0.15)
    if seen.intersection(OF_LABELS) and seen.difference(OF_LABELS):
        _part_at(axes, len(OF_LABELS) - 0.5, "image labels known", "not known")
    _legend(axes, reverse=True)
    return figure


def draw_thresholds(evaluations: Evaluations, method: str) -> Figure:
    """mIoU over the background threshold on the tuning split; a marker on the one chosen."""
    figure, axes = _axes(2.6, COLUMN_INCHES)
    for number, stage in enumerate(CAM_STAGES):
        tuned, reported = evaluations.tuned(method, stage), evaluations.of(method, stage)
        if not tuned:
            continue
        look = _look(number) | {"marker": ""}
        sweep, chosen = tuned["sweep"], tuned["threshold"]
        label = f"{STAGES[stage]}: {chosen:.2f}"
        axes.plot(sweep["thresholds"], _per_cent(sweep["miou"]), label=label, **look)
        axes.plot([chosen], [100 * tuned["miou"]], **_look(number) | {"ls": "", "ms": 9})
        if reported and reported["split"] != tuned["split"] and "sweep" in reported:
            other = reported["sweep"]
            faint = look | {"lw": 1.0, "alpha": 0.45}
            axes.plot(other["thresholds"], _per_cent(other["miou"]), **faint)
    axes.set_xlabel("background threshold")
    axes.set_ylabel("mIoU, %")
    axes.set_xlim(0, 1)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def draw_classes(evaluations: Evaluations, method: str) -> Figure:
    """IoU of every class: bars for the method's last stage, markers for the stages before."""
    stages = evaluations.stages(method)
    # One before the correction and one after it: more markers could not be told apart.
    last, before = stages[-1], [s for s in stages[:-1] if s in ("initial_cam", "refined_cam")]
    names = list(_class_iou(evaluations, method, last))
    figure, axes = _axes(0.8 + 0.24 * len(names))
    rows = np.arange(len(names))
    values = _class_iou(evaluations, method, last).values()
    axes.barh(
        rows,
        list(values),
        0.62,
        color="C0",
        alpha=0.4,
        label=_with_split(evaluations, method, last),
    )
    for number, stage in enumerate(before, start=1):
        iou = _class_iou(evaluations, method, stage)
        look = _look(number) | {"ls": "", "ms": 7}
        label = _with_split(evaluations, method, stage)
        axes.plot([iou.get(name, np.nan) for name in names], rows, label=label, **look)
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set_xlabel("IoU, %")
    axes.set_xlim(0, 100)
    axes.grid(axis="y", visible=False)
    _legend(axes)
    return figure


def draw_losses(histories: Mapping[str, Sequence[Path]], what: str) -> Figure:
    """Training losses: thin lines as they were, thick ones as their running mean.

    Args:
        histories: by method, CSV files with a column `loss`, one after the other.
        what: what is trained.
    """
    figure, axes = _axes(2.4)
    for number, (method, paths) in enumerate(histories.items()):
        start = 1
        look = _look(number) | {"marker": ""}
        for losses in (read_column(path, "loss") for path in paths):
            steps = np.arange(start, start + len(losses))
            axes.plot(steps, losses, **look | {"lw": 0.6, "alpha": 0.35})
            axes.plot(steps, running_mean(losses), label=method if start == 1 else None, **look)
            if start > 1:
                axes.axvline(start - 0.5, color="grey", lw=0.8, ls=":")
            start += len(losses)
    axes.set_xlabel(f"iteration of {what}")
    axes.set_ylabel("loss")
    axes.set_ylim(bottom=0)
    _legend(axes)
    return figure


def draw_looks(seen: Mapping[str, Path]) -> Figure:
    """mIoU of the aligned CAMs on tune over the iterations of CMPA; a large marker: the choice.

    seen: by method, what choose_heads wrote.
    """
    figure, axes = _axes(2.4)
    for number, (method, path) in enumerate(seen.items()):
        iterations, values = read_column(path, "iteration"), 100 * read_column(path, "miou")
        best = values.argmax()
        label = f"{method}: chosen {iterations[best]:.0f}"
        axes.plot(iterations, values, label=label, **_look(number) | {"ms": 4})
        axes.plot(iterations[best], values[best], **_look(number) | {"ls": "", "ms": 9})
    axes.set_xlabel("iteration of alignment")
    axes.set_ylabel("mIoU on tune, %")
    _legend(axes)
    return figure


def read_column(path: Path, name: str) -> np.ndarray:
    """A column of numbers of a history, (rows,) float64; there is one row at least.

    Raises:
        InputError: the file can't be read, or has no such column of numbers.
    """
    try:
        with path.open(newline="") as stream:
            values = np.array([float(row[name]) for row in csv.DictReader(stream)])
        if not len(values):
            raise ValueError("it has no row")
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(
            f"{path}: is no history of a training ({error!r}); delete it to go without its curve, "
            "or with what was trained, to train again"
        ) from None
    return values


def running_mean(values: np.ndarray) -> np.ndarray:
    """Mean over a twentieth of `values` around each of them; fewer at the ends. Same shape."""
    window = np.ones(max(1, len(values) // 20))
    counts = np.convolve(np.ones(len(values)), window, "same")
    return np.asarray(np.convolve(values, window, "same") / counts)


def _axes(height: float, width: float = PAGE_INCHES) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _part_at(axes: Axes, x: float, left: str, right: str) -> None:
    """A dotted line between two groups of places, and above them what each is."""
    axes.axvline(x, color="grey", lw=0.8, ls=":")
    above = axes.get_xaxis_transform()
    for text, shift, side in ((left, -6, "right"), (right, 6, "left")):
        axes.annotate(text, (x, 1), (shift, 2), above, "offset points", ha=side, va="bottom")


def _write_value(axes: Axes, x: float, y: float, spread: float) -> None:
    """The value above its marker and bar, readable where a line crosses it."""
    paper = {
        "facecolor": mpl.rcParams["axes.facecolor"],
        "edgecolor": "none",
        "pad": 1,
        "alpha": 0.8,
    }
    text = axes.annotate(
        f"{y:.1f}", (x, y + spread), (0, 9), textcoords="offset points", ha="center"
    )
    text.set_bbox(paper)
    text.set_zorder(5)


def _look(number: int) -> dict[str, Any]:
    place = number % len(MARKERS)
    width = 2.4 if number == 0 else 1.6
    return {"color": f"C{place}", "marker": MARKERS[place], "ls": DASHES[place], "lw": width}


def _legend(axes: Axes, reverse: bool = False) -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, reverse=reverse)


def _miou(evaluations: Evaluations, method: str, stage: str) -> float:
    figures = evaluations.of(method, stage)
    return float("nan") if not figures or figures["miou"] is None else 100 * figures["miou"]


def _spread(evaluations: Evaluations, method: str, stage: str) -> float:
    """Standard deviation of the mIoU over the seeds, in per cent; 0 of a single one."""
    figures = evaluations.of(method, stage) or {"spreads": {}}
    return 100 * float(figures["spreads"].get("miou", 0))


def _class_iou(evaluations: Evaluations, method: str, stage: str) -> dict[str, float]:
    figures = evaluations.of(method, stage) or {"per_class": {}}
    return {
        name: float("nan") if own["iou"] is None else 100 * own["iou"]
        for name, own in figures["per_class"].items()
    }


def _with_split(evaluations: Evaluations, method: str, stage: str) -> str:
    figures = evaluations.of(method, stage) or {"split": ""}
    return f"{STAGES[stage]} ({figures['split']})"


def _per_cent(shares: Sequence[float | None]) -> list[float]:
    return [float("nan") if share is None else 100 * share for share in shares]
