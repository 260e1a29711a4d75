"""The report of a run: one HTML page that needs nothing else, and its figures as files."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
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
from ssr.report import beside_published, html, tables
from ssr.report.benchmarks import Usage
from ssr.report.charts import Chart, Charts, Histories
from ssr.report.evaluations import Evaluations
from ssr.report.features import Features, cosine_table
from ssr.report.files import write_table
from ssr.report.gallery import gallery
from ssr.report.plates import plate_files
from ssr.report.provenance import Provenance
from ssr.report.sheet import draw_sheet
from ssr.report.shown import ShownImage
from ssr.report.stages import STAGES

LIBRARIES = (
    "torch", "open_clip_torch", "timm", "numpy", "scipy", "scikit-learn", "faiss-cpu", "fast_slic",
    "pydensecrf2", "mmsegmentation", "mmengine", "zarr", "snakemake",
)  # fmt: skip

# Data sets of the paper: on others, its figures are those of another question.
_MEASURED_ON = ("voc", "coco")
_BESIDE = ("segmentations", "seeds", "mistakes", "supervision")


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
        sheet = html.sheet_png(draw_sheet([image], run.class_names))
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
    charts = {name: [_figure(chart) for chart in group] for name, group in drawn.items()}
    made = result_tables(run)
    written = {name: html.table(table) for name, table in made.items()}
    sections = {
        "pictures": ("From an image to its segmentation", [*_galleries(run)]),
        "stages": ("Every stage in figures", [*charts["stages"], *_pick(written, "stages")]),
        "ablation": ("Ablation", _ablation(written)),
        "published": ("Beside the published figures", [*_published(run.config, made)]),
        "thresholds": ("Thresholds", charts["thresholds"]),
        "classes": ("Classes", [*charts["classes"], *_pick(written, "classes")]),
        "embedding": (
            "Features before and after alignment",
            [*charts.get("embedding", ()), *_pick(written, "cosines"), *_no_embedding(run)],
        ),
        "training": ("Training", charts["training"]),
        "usage": ("Time and memory", [*_usage(run)]),
        "settings": ("Settings and versions", [*_settings(run)]),
    }
    filled = {name: content for name, content in sections.items() if content[1]}
    links = (f'<a href="#{name}">{title}</a>' for name, (title, _) in filled.items())
    body = [*_heading(run), f"<nav>{' '.join(links)}</nav>"]
    body += [html.section(name, title, *blocks) for name, (title, blocks) in filled.items()]
    return html.document(f"SSR on {run.config.dataset}", "\n".join(body))


def _no_embedding(run: Run) -> Iterator[str]:
    """Why features can't be drawn behind an alignment, where there is one."""
    alignment = method_config(run.config, run.method).alignment
    if alignment.enabled and alignment.trains == "last_block":
        yield html.paragraph(
            "Not drawn: CMPA trains CLIP's last block here, in front of the pooled features."
        )


def _figure(chart: Chart) -> str:
    """A chart in the version that suits the reader's page, and what it shows."""
    dark = f'<source srcset="{html.data(chart.dark)}" media="(prefers-color-scheme: dark)">'
    light = html.picture(chart.files["png"], chart.alt)
    caption = f"<figcaption>{escape(chart.caption)}</figcaption>"
    return f'<figure class="chart"><picture>{dark}{light}</picture>{caption}</figure>'


def _heading(run: Run) -> Iterator[str]:
    config = run.config
    yield f"<header><h1>SSR on {escape(config.dataset)}</h1>"
    yield html.paragraph(
        "Weakly supervised semantic segmentation: from labels that say only which classes are in "
        "an image to a class for every pixel, by aligned CLIP prototypes (CMPA) and "
        "superpixel-guided correction (SGC).",
        "lead",
    )
    if not run.evaluations.reported:
        yield html.paragraph(
            "Nothing was evaluated: the data set has no masks (data.masks: null). There are "
            "pictures below, and no figures: how good the labels are can only be looked at."
        )
    for doubt in doubts(config):
        yield html.paragraph(f"Warning: {doubt}.")
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in _facts(run)
    )
    yield f'<dl class="facts">{facts}</dl>'
    seeds = [*rows_of_methods(config)[run.method]]
    many = len(seeds) > 1
    text = (
        f"Method {run.method}, seed{'s' if many else ''} {', '.join(map(str, seeds))}, settings "
        f"{config_hash(config)}."
        + (f" Pictures, thresholds and features are those of seed {seeds[0]}." if many else "")
    )
    yield html.paragraph(text, "quiet")
    yield html.paragraph(str(run.provenance), "quiet")
    yield '<p class="quiet">All figures for programs: <a href="../summary.json">summary.json</a>; '
    yield 'for papers: <a href="figures/">figures</a>, <a href="tables/">tables</a>; '
    yield 'where they come from: <a href="provenance.json">provenance.json</a>.</p></header>'


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


def _galleries(run: Run) -> Iterator[str]:
    for split, images in run.shown.items():
        if images:
            yield html.paragraph(
                f"{len(images)} images of the split {split}, read from left to right. They were "
                "picked for the classes in them, not for how well they came out: the first that "
                "together show as many classes as possible. An image with several classes has a "
                "row for each. Point at a picture to enlarge it."
            )
            yield gallery(images, run.class_names)
            yield from map(html.paragraph, _left_out(run, split, images))


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


def _pick(written: Mapping[str, str], *names: str) -> list[str]:
    return [written[name] for name in names if name in written]


def _published(config: Config, made: Mapping[str, tables.Table]) -> Iterator[str]:
    """The paper's tables, folded where none of our figures can stand beside them."""
    theirs = config.data.format in _MEASURED_ON
    for table in (made[name] for name in _BESIDE if name in made):
        shown = html.table(table)
        yield shown if theirs and table.has_ours else html.folded(table.caption, shown)


def _ablation(written: Mapping[str, str]) -> list[str]:
    shown = _pick(written, "ablation", "losses")
    explained = html.paragraph(
        "Every method is a set of settings that differ from the full method; what they have in "
        "common is computed once. A stage that a method does not have is a dash."
    )
    return [explained, *shown] if shown else []


def _usage(run: Run) -> Iterator[str]:
    if run.usage:
        yield html.table(tables.usage_table(run.usage))


def _settings(run: Run) -> Iterator[str]:
    python = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    versions = "\n".join([python, *(f"{name} {_version(name)}" for name in LIBRARIES)])
    yield html.folded("Versions of libraries", f"<pre>{versions}</pre>")
    yield html.folded("All settings", f"<pre>{escape(render(run.config))}</pre>")


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
