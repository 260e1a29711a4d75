import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ssr.artefacts.store import open_shards
from ssr.config import Config
from ssr.data.index import Index
from ssr.data.masks import Masks
from ssr.data.pngs import open_pngs
from ssr.evaluation.evaluation import write_evaluation
from ssr.report.benchmarks import read_benchmarks
from ssr.report.evaluations import Evaluations, read_evaluations
from ssr.report.histories import find_histories
from ssr.report.page import Run
from ssr.report.provenance import Provenance
from ssr.report.shown import Stores, read
from ssr.report.stages import CAM_STAGES, foreign_panel
from tests.report.finished_run import FinishedRun, finish_run, small_config, small_scenes


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """A run of four small scenes."""
    folder = tmp_path_factory.mktemp("finished")
    config = small_config(folder / "data", "ssr", "clip", "no_refinement", "clip_attention")
    return finish_run(folder, small_scenes(), config)


@pytest.fixture(scope="session")
def evaluations(finished: FinishedRun) -> Evaluations:
    return Evaluations(
        read_evaluations(finished.pairs("val")), read_evaluations(finished.pairs("tune"))
    )


def _compared(method: str, miou: float, *to_first: float) -> dict[str, Any]:
    """A row of a summary, of refined CAMs that are compared with those of ssr."""
    named = dict(zip(("difference", "low", "high"), to_first, strict=False))
    differences = [{"to_method": "ssr", "to_stage": "refined_cam", **named}] if named else []
    row = {"method": method, "stage": "refined_cam", "miou": miou, "differences": differences}
    return row | {"supervision": "image_labels", "ratio_to_fully_supervised": None}


@pytest.fixture(scope="session")
def seeded(finished: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Evaluations:
    """The same with a second seed of ssr, whose refined CAMs have 10 points more, and compared."""
    first = finished.results / "evaluation/refined_cam/ssr/val.json"
    second = tmp_path_factory.mktemp("ssr_seed1") / "val.json"
    figures = json.loads(first.read_text())
    write_evaluation(second, figures | {"miou": figures["miou"] + 0.1})
    rows = (
        _compared("ssr", 0.9),
        _compared("clip", 0.89, -0.01, -0.031, 0.012),
        _compared("no_refinement", 0.7, -0.2, -0.3, -0.1),
    )
    pairs = [*finished.pairs("val"), ("ssr", second)]
    return Evaluations(read_evaluations(pairs), (), rows)


@pytest.fixture(scope="session")
def stores(finished: FinishedRun) -> Stores:
    return Stores(
        superpixels=open_shards([finished.store("superpixels")]),
        cams={stage: open_shards([finished.store(f"cams/{stage}")]) for stage in CAM_STAGES},
        logits=open_shards([finished.store("logits")]),
        pngs={
            "pseudo_label": open_pngs([finished.store("pseudo_labels", ".zip")]),
            "prediction_crf": open_pngs([finished.store("predictions", ".zip")]),
        },
        masks=Masks.read(finished.results / "masks.parquet", finished.root),
    )


@pytest.fixture(scope="session")
def stores_with_peers(stores: Stores) -> Stores:
    """The same with CAMs and predictions of two other systems."""
    cams = {foreign_panel("initial_cam", "peer"): stores.cams["refined_cam"]}
    pngs = {foreign_panel("prediction", "peer_seg"): stores.pngs["pseudo_label"]}
    return replace(stores, cams={**stores.cams, **cams}, pngs={**stores.pngs, **pngs})


@pytest.fixture(scope="session")
def empty_stores() -> Stores:
    """No stage has run."""
    none = open_shards([])
    return Stores(none, dict.fromkeys(CAM_STAGES, none), none, {}, Masks({}, Path()))


@pytest.fixture(scope="session")
def run(finished: FinishedRun, evaluations: Evaluations, stores: Stores) -> Run:
    """All of it, with two of its images."""
    index = Index.read(finished.results / "index.parquet")
    shown = [read(image, finished.root, stores, Config()) for image in index.images[:2]]
    usage = read_benchmarks(finished.results / "benchmarks")
    return Run(
        finished.config,
        "ssr",
        index,
        evaluations,
        {"val": shown},
        usage,
        find_histories(finished.results, finished.config),
        Provenance.here(usage),
    )
