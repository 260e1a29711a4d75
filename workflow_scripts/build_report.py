"""Evaluations, a few images with all their stages, benchmarks in; a page of pictures out.

Beside the page lie its figures and tables as files.
"""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.config import Config
from ssr.config.methods import method_config
from ssr.config.settings import parse_config
from ssr.running.programs import existing, parser, run
from workflow_scripts.summarise import evaluation

if TYPE_CHECKING:
    from ssr.data.index import Index
    from ssr.report.charts import Charts
    from ssr.report.page import Run
    from ssr.report.shown import ShownImage, Stores


def main(arguments: Namespace) -> None:
    """Draw the figures, then write the page."""
    from ssr.artefacts.files import replacing
    from ssr.report.page import write_figures, write_page, write_tables

    results = _results(arguments)
    beside = {name: arguments.output.parent / name for name in ("figures", "tables")}
    for path in beside.values():
        shutil.rmtree(path, ignore_errors=True)
    charts = _charts(results, arguments.summary.parent)
    write_figures(results, charts, beside["figures"])
    write_tables(results, beside["tables"])
    with replacing(arguments.output.with_name("provenance.json")) as temporary:
        temporary.write_text(results.provenance.to_json() + "\n")
    with replacing(arguments.output) as temporary:
        temporary.write_text(write_page(results, charts), encoding="utf-8")


def _results(arguments: Namespace) -> Run:
    """All that the run left behind."""
    from ssr.data.index import Index
    from ssr.evaluation.summary import read_summary
    from ssr.report.benchmarks import read_benchmarks
    from ssr.report.evaluations import Evaluations, read_evaluations
    from ssr.report.features import read_features
    from ssr.report.histories import find_histories
    from ssr.report.page import Run
    from ssr.report.provenance import Provenance

    index, folder = Index.read(arguments.index), arguments.summary.parent
    usage, heads = read_benchmarks(folder / "benchmarks"), arguments.heads
    return Run(
        config=arguments.config,
        method=arguments.method,
        index=index,
        evaluations=Evaluations(
            *(
                read_evaluations((one.method, one.path) for one in given)
                for given in (arguments.evaluations, arguments.sweeps)
            ),
            read_summary(arguments.summary),
        ),
        shown=_shown(arguments, index),
        usage=usage,
        histories=find_histories(folder, arguments.config),
        provenance=Provenance.here(usage),
        features=read_features(arguments.prototypes, heads) if heads else None,
    )


def _charts(results: Run, folder: Path) -> Charts:
    """All charts, by section."""
    from ssr.report.charts import draw_charts, embedding_chart, looks_chart
    from ssr.report.embedding import embed
    from ssr.report.histories import find_looks

    charts = dict(draw_charts(results.evaluations, results.methods, results.histories))
    if seen := find_looks(folder, results.config):
        charts["training"] = [*charts["training"], looks_chart(seen)]
    if results.features:
        embedding = embed(results.features, results.config.seed)
        charts["embedding"] = [embedding_chart(embedding, results.class_names)]
    return charts


def _shown(arguments: Namespace, index: Index) -> dict[str, list[ShownImage]]:
    """Images of the reported splits, each split once, with all their stages."""
    from ssr.report.shown import choose, read

    config: Config = arguments.config
    stores = _stores(arguments)
    settings = method_config(config, arguments.method)
    shown = {}
    for shard in dict.fromkeys(arguments.shards):
        images = choose(index.shard(shard), config.report.images)
        shown[images[0].split] = [
            read(image, Path(config.data.root), stores, settings) for image in images
        ]
    return shown


def _stores(arguments: Namespace) -> Stores:
    from ssr.artefacts.store import open_shards
    from ssr.data.masks import Masks
    from ssr.data.pngs import open_pngs
    from ssr.report.shown import Stores
    from ssr.report.stages import CAM_STAGES, foreign_panel

    return Stores(
        superpixels=open_shards(arguments.superpixels),
        cams={stage: open_shards(getattr(arguments, f"{stage}s")) for stage in CAM_STAGES}
        | {
            foreign_panel("initial_cam", name): open_shards([path])
            for name, path in arguments.foreign_cams
        },
        logits=open_shards(arguments.logits),
        pngs={
            "pseudo_label": open_pngs(arguments.pseudo_labels),
            "prediction_crf": open_pngs(arguments.predictions),
        }
        | {
            foreign_panel("prediction", name): open_pngs([path])
            for name, path in arguments.foreign_predictions
        },
        masks=Masks.read(arguments.masks, arguments.config.data.root),
    )


def configuration(text: str) -> Config:
    """An argparse type: all settings as JSON."""
    return parse_config(json.loads(text))


def foreign(text: str) -> tuple[str, Path]:
    """An argparse type: METHOD=FILE."""
    name, _, path = text.partition("=")
    return name, existing(path)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--config", type=configuration, required=True)
    flags.add_argument("--method", required=True, help="whose pictures are shown")
    flags.add_argument("--shards", nargs="+", required=True, help="images are picked from these")
    flags.add_argument(
        "--summary",
        type=existing,
        required=True,
        help="summary.json; beside it lie benchmarks and histories",
    )
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--masks", type=existing, required=True, help="table of the masks")
    for name in ("evaluations", "sweeps"):
        flags.add_argument(
            f"--{name}", type=evaluation, nargs="*", required=True, metavar="METHOD/SEED=FILE"
        )
    for name in ("superpixels", "initial-cams", "aligned-cams", "refined-cams", "pseudo-labels"):
        flags.add_argument(f"--{name}", type=existing, nargs="*", default=[])
    for name in ("logits", "predictions"):
        flags.add_argument(f"--{name}", type=existing, nargs="*", default=[])
    for name in ("foreign-cams", "foreign-predictions"):
        flags.add_argument(f"--{name}", type=foreign, nargs="*", default=[], metavar="METHOD=FILE")
    for name in ("prototypes", "heads"):
        flags.add_argument(f"--{name}", type=existing, nargs="?", help="of the last round, if any")
    flags.add_argument(
        "--output",
        type=Path,
        required=True,
        help="HTML; figures/, tables/ and provenance.json lie beside it",
    )
    run(main, flags)
