"""The whole DAG, run once in miniature."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

import pytest

from tests.workflow.conftest import MINIATURE, Run, in_folder, workflow_in

OVERLAY = ("--configfile", str(MINIATURE))


@pytest.fixture(scope="session")
def mini_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder in which the whole DAG has been run in miniature, to be looked at only.

    The first of the tests' processes that asks for it makes it, and the others wait.
    """
    common = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        common = common.parent
    folder, made = common / "mini", common / "mini.made"
    with (common / "mini.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            folder.mkdir()  # fails if another process has failed
            in_folder(workflow_in(folder))("--cores", "2", *OVERLAY)
            (folder / "data/mini/some.txt").write_text("demo_000000\n")
            made.touch()
    return folder


@pytest.fixture
def folder(mini_folder: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(mini_folder, tmp_path / "copy", symlinks=True)


def _with_overlay(folder: Path) -> Run:
    run = in_folder(folder)
    return lambda *arguments, **options: run(*arguments, *OVERLAY, **options)


@pytest.fixture(scope="session")
def mini(mini_folder: Path) -> Run:
    """Snakemake where the whole DAG has been run in miniature, for dry-runs."""
    return _with_overlay(mini_folder)


@pytest.fixture
def snakemake(folder: Path) -> Run:
    """Snakemake in the copy."""
    return _with_overlay(folder)
