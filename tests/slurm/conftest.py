"""A real SLURM for the tests that need one, and the whole DAG run through it once, in miniature."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import ROOT
from tests.slurm import cluster
from tests.workflow.conftest import MINIATURE, Run, in_folder, workflow_in

# Beside the profile's groups: every job of SLURM costs two starts of Snakemake.
GROUPS = {
    "make_demo_dataset": "index",
    "index_dataset": "index",
    "index_masks": "index",
    "extract_features": "features",
    "activate_initial_cams": "features",
    "pool_samples": "features",
    "cluster_prototypes": "alignment",
    "align_prototypes": "alignment",
    "choose_heads": "alignment",
    "activate_aligned_cams": "alignment",
    "predict_logits": "predictions",
    "refine_predictions": "predictions",
    "evaluate_logits": "predictions",
    "evaluate_predictions": "predictions",
    "summarise": "report",
    "build_report": "report",
}

EDITS = {"config.yaml": "nonsense: 1", "workflow_scripts/index_dataset.py": "EDITED = True"}


def arguments() -> list[str]:
    """`snakemake --profile slurm` as it is shipped, with what makes the run small and quick."""
    profile = yaml.safe_load((ROOT / "slurm/profile.yaml").read_text())
    groups = dict(each.split("=") for each in profile["groups"]) | GROUPS
    overlays = [MINIATURE, ROOT / "tests/slurm/fewer_jobs.yaml"]
    return [
        *("--profile", "slurm", "--configfile", *map(str, overlays)),
        *("--groups", *(f"{rule}={group}" for rule, group in groups.items())),
        *("--resources", f"gpu={len(cluster.DEVICES)}"),
        *("--set-threads", "train_segmenter=1"),
        # The default spares the controller of a busy cluster.
        *("--slurm-init-seconds-before-status-checks", "2"),
    ]


@pytest.fixture(scope="session")
def slurm() -> Iterator[Path]:
    """The folder of a SLURM that runs on this machine while the tests do."""
    if missing := cluster.missing():
        pytest.skip(f"not installed: {', '.join(missing)} (Debian: slurm-wlm munge)")
    # Not pytest's own folder, whose path is too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    cluster.start(folder)
    yield folder
    cluster.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def clone(slurm: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A clone whose configuration and code can be edited, and Snakemake in it."""
    folder = workflow_in(tmp_path_factory.mktemp("cluster"))
    for part in ("config.yaml", "ssr", "workflow_scripts"):
        (folder / part).unlink()
    shutil.copyfile(ROOT / "config.yaml", folder / "config.yaml")
    for part in ("ssr", "workflow_scripts"):
        shutil.copytree(ROOT / part, folder / part)
    return folder, in_folder(folder, cluster.environment(slurm))


@pytest.fixture(scope="session")
def next_runs(clone: tuple[Path, Run]) -> list[str]:
    """The whole workflow has run, and configuration and code were edited meanwhile.

    What the next run says of it: with both edits, with that of the code, with none.
    """
    folder, run = clone
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, *arguments())
        _edit_once_indexed(folder, running)
        running.result()
    printed = []
    for undone in (None, *EDITS):
        if undone:
            shutil.copyfile(ROOT / undone, folder / undone)
        done = run(*arguments(), "-n", check=False)
        printed.append(done.stdout + done.stderr)
    return printed


@pytest.fixture(scope="session")
def finished(clone: tuple[Path, Run], next_runs: list[str]) -> tuple[Path, Run]:
    """The clone when the whole workflow has run, with no edit left in it."""
    return clone


def _edit_once_indexed(folder: Path, running: Future[Any]) -> None:
    while not (folder / "results/mini/index/index.parquet").exists() and not running.done():
        time.sleep(0.2)
    for edited, line in EDITS.items():
        with (folder / edited).open("a") as file:
            file.write(f"{line}\n")
