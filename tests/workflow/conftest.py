"""A copy of the workflow in a folder of its own, and Snakemake in it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests import ROOT
from tests.workflow.dry_runs import dry_run

PARTS = (
    "Snakefile",
    "config.yaml",
    "config",
    "rules",
    "slurm",
    "envs",
    "workflow_scripts",
    "ssr",
    "backbones",
)

MINIATURE = ROOT / "tests/workflow/mini.yaml"

Run = Callable[..., subprocess.CompletedProcess[str]]


def in_folder(folder: Path, environment: Mapping[str, str] | None = None) -> Run:
    """A function that runs `snakemake ARGUMENTS` in `folder` and returns what it printed."""

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        if "-n" in arguments and environment is None:
            done = dry_run([*arguments], folder)
        else:
            command = [sys.executable, "-m", "snakemake", *arguments]
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True
            )
        if check and done.returncode:
            pytest.fail(f"{' '.join(done.args)}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}")
        return done

    return run


def workflow_in(folder: Path) -> Path:
    """`folder` with the workflow linked into it, as a fresh clone would look."""
    for part in PARTS:
        (folder / part).symlink_to(ROOT / part)
    return folder


def rules_in(dry_run: subprocess.CompletedProcess[str]) -> set[str]:
    """Names of the rules that a dry-run would run."""
    printed = dry_run.stdout + dry_run.stderr
    return set(re.findall(r"^(?:local)?rule (\w+):", printed, flags=re.MULTILINE)) - {"all"}


@pytest.fixture
def clone(tmp_path: Path) -> Run:
    """Snakemake in a fresh clone."""
    return in_folder(workflow_in(tmp_path))
