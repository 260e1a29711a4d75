"""The whole DAG, run once in miniature."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflow.conftest import MINIATURE, Run, in_folder, workflow_in


@pytest.fixture(scope="session")
def mini_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the whole DAG has been run in miniature."""
    folder = workflow_in(tmp_path_factory.mktemp("mini"))
    in_folder(folder)("--cores", "2", "--configfile", str(MINIATURE))
    (folder / "data/mini/some.txt").write_text("demo_000000\n")
    return folder


@pytest.fixture(scope="session")
def mini(mini_folder: Path) -> Run:
    """Snakemake where the whole DAG has been run in miniature."""
    run = in_folder(mini_folder)
    overlay = ("--configfile", str(MINIATURE))
    return lambda *arguments, **options: run(*arguments, *overlay, **options)
