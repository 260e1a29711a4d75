"""The command `ssr` where it can't do what it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from ssr.version import __version__
from tests import ROOT


def ssr(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from ssr.command import main; main()"
    return subprocess.run(
        [sys.executable, "-c", command, *arguments], cwd=folder, capture_output=True, text=True
    )


def test_it_tells_its_version(tmp_path: Path) -> None:
    assert ssr("--version", folder=tmp_path).stdout == f"ssr {__version__}\n"


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_what_asks_snakemake_says_at_once_that_there_is_no_workflow(
    tmp_path: Path, command: str
) -> None:
    ended = ssr(command, folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"error: no Snakefile in {tmp_path}: run it in a clone of the repository, "
        "where snakemake runs\n"
    )


def test_a_folder_without_results_is_named(tmp_path: Path) -> None:
    ended = ssr("inspect", "results/x", folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: results/x/")
    assert len(ended.stderr.splitlines()) == 1
