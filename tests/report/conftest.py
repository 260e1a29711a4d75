from pathlib import Path

import pytest

from ssr.artefacts.store import open_shards
from ssr.data.masks import Masks
from ssr.data.pngs import open_pngs
from ssr.report.evaluations import Evaluations, read_evaluations
from ssr.report.shown import Stores
from ssr.report.stages import CAM_STAGES
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
def empty_stores() -> Stores:
    """No stage has run."""
    none = open_shards([])
    return Stores(none, dict.fromkeys(CAM_STAGES, none), none, {}, Masks({}, Path()))
