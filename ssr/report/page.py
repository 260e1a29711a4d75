"""The report of a run: one HTML page that needs nothing else, and its figures as files."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

from ssr.config import Config
from ssr.config.consistency import doubts
from ssr.config.coverage import NOT_YET, why_absent
from ssr.config.methods import method_config, rows_of_methods
from ssr.config.settings import config_hash, render
from ssr.data.index import Index
from ssr.data.source import SPLITS
from ssr.report import beside_published, tables
from ssr.report.benchmarks import Usage
from ssr.report.charts import Charts, Histories
from ssr.report.evaluations import Evaluations
from ssr.report.features import Features, cosine_table
from ssr.report.files import write_table
from ssr.report.gallery import Gallery, gallery
from ssr.report.html import TEMPLATES, sheet_png
from ssr.report.plates import plate_files
from ssr.report.provenance import Provenance
from ssr.report.sheet import draw_sheet
from ssr.report.shown import ShownImage
from ssr.report.stages import STAGES

LIBRARIES = (
    "torch", "open_clip_torch", "timm", "numpy", "scipy", "scikit-learn", "faiss-cpu", "fast_slic",
    "pydensecrf2", "opencv-python-headless", "mmsegmentation", "mmengine", "zarr", "snakemake",
)  # fmt: skip

# Data sets of the paper: on others, its figures are those of another question.
_MEASURED_ON = ("voc", "coco")


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    Attributes:
        config: all settings.
        method: the one whose pictures are shown.
        index: all images.
        evaluations: of all methods.
        shown: images with their stages, by split.
        usage: of every rule.
        histories: CSV files of training losses, by what was trained and method.
        provenance: when and where the report was made, and what the run took.
        features: before and after the alignment; None where there are none to show.
    """

    config: Config
    method: str
    index: Index
    evaluations: Evaluations
    shown: Mapping[str, Sequence[ShownImage]]
    usage: Sequence[Usage]
    histories: Histories
    provenance: Provenance
    features: Features | None = None

    @property
    def methods(self) -> list[str]:
        """All methods, the one that is shown first."""
        methods = rows_of_methods(self.config)
        return [self.method, *(name for name in methods if name != self.method)]

    @property
    def class_names(self) -> list[str]:
        """All classes by their index."""
        return ["background", *self.config.data.classes]


def write_figures(run: Run, charts: Charts, folder: Path) -> None:
    """Write charts and plates as PNG, PDF and SVG, and a sheet of stages per image as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [(chart.name, chart.files) for chart in chain(*charts.values())]
    for split, images in run.shown.items():
        if images:
            plates = plate_files(images, run.class_names)
            drawn += [(f"{name}_{split}", files) for name, files in plates]
    for name, files in drawn:
        for suffix, content in files.items():
            (folder / f"{name}.{suffix}").write_bytes(content)
    for image in chain(*run.shown.values()):
        sheet = sheet_png(draw_sheet([image], run.class_names))
        (folder / f"stages_{image.image.id}.png").write_bytes(sheet)


def result_tables(run: Run) -> dict[str, tables.Table]:
    """All tables of results by their name; few where nothing was evaluated."""
    found, method = run.evaluations, run.method
    made = {"cosines": cosine_table(run.features, run.class_names)} if run.features else {}
    if not found.reported:
        return made
    return made | {
        "stages": tables.stage_table(found),
        "classes": tables.class_table(found, method),
        "ablation": beside_published.ablation_table(found, run.config),
        "losses": beside_published.loss_table(found, run.config),
        "segmentations": beside_published.segmentation_table(found, method),
        "seeds": beside_published.seed_table(found, method),
        "mistakes": beside_published.confusion_table(found, method),
        "supervision": beside_published.supervision_table(found, method),
    }


def write_tables(run: Run, folder: Path) -> None:
    """Write every table of results as CSV, Markdown and LaTeX."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in result_tables(run).items():
        write_table(table, folder, name)


def write_page(run: Run, drawn: Charts) -> str:
    """The page as HTML."""
    config = run.config
    alignment = method_config(config, run.method).alignment
    return TEMPLATES.get_template("page.html").render(
        run=run,
        seeds=[*rows_of_methods(config)[run.method]],
        settings_hash=config_hash(config),
        doubts=doubts(config),
        facts=[*_facts(run)],
        galleries=[*_galleries(run)],
        charts=drawn,
        tables=result_tables(run),
        as_published=config.data.format in _MEASURED_ON,
        trains_last_block=alignment.enabled and alignment.trains == "last_block",
        usage=tables.usage_table(run.usage) if run.usage else None,
        versions=[*_versions()],
        settings=render(config),
    )


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    stages = run.evaluations.stages(run.method)
    for stage in dict.fromkeys([*stages[:1], *stages[-1:]]):
        figures = run.evaluations.of(run.method, stage) or {}
        where = f"{figures['images']} {figures['split']} images"
        yield f"mIoU, {STAGES[stage]}, {where}", f"{tables.with_spread(figures, 'miou')} %"
    counts = Counter(image.split for image in run.index.images)
    for split in SPLITS:
        if counts[split]:
            yield f"images in {split}", f"{counts[split]}"
    yield "classes and background", f"{len(run.config.data.classes)} + 1"


def _galleries(run: Run) -> Iterator[tuple[str, Gallery, list[str]]]:
    """Each split of which there are images, its pictures, and what is to be said of them."""
    for split, images in run.shown.items():
        if images:
            yield split, gallery(images, run.class_names), [*_left_out(run, split, images)]


def _left_out(run: Run, split: str, images: Sequence[ShownImage]) -> Iterator[str]:
    """Why stages have no column in the table of a split's images."""
    shown = {stage for image in images for stage in (*image.cams, *image.labels)}
    reasons: dict[str, list[str]] = {}
    for stage, title in STAGES.items():
        if stage not in shown:
            labelled = any(image.image.labels for image in images)
            reason = why_absent(run.config, run.method, stage, split, labelled)
            reasons.setdefault(reason, []).append(title)
    reasons.pop(NOT_YET, None)  # all has run: pictures of such a stage stand with another split
    for reason, titles in reasons.items():
        yield f"Not shown: {', '.join(titles)} ({reason})."


def _versions() -> Iterator[str]:
    """What runs here, and every library."""
    yield f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    for library in LIBRARIES:
        yield f"{library} {_version(library)}"


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
