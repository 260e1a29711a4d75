"""What is wrong with settings is told before the DAG, wherever they come from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.workflow.conftest import Run, in_folder, workflow_in

TINY = "data: {demo: {train: 10, tune: 1, val: 1}}\n"


def error(run: Run, *arguments: str) -> list[str]:
    """The lines of the error that Snakemake ends with, when it is asked for a plan."""
    done = run("-n", *arguments, check=False)
    assert done.returncode == 1
    assert "Building DAG" not in done.stdout + done.stderr
    return done.stderr[done.stderr.index("error: ") :].splitlines()


def test_all_findings_of_all_files_come_at_once(clone: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("seeds: [1]\nseeds: [2]\n")
    (tmp_path / "b.json").write_text('{"data": {"clases": []},\n"data": {}}')
    assert error(clone, "--configfile", "a.yaml", "--configfile", "a.yaml", "b.json") == [
        "error: the configuration is wrong",
        "  --configfile is given 2 times, the last would count; "
        "write --configfile a.yaml a.yaml b.json",
        "  a.yaml: seeds stands in lines 1 and 2; the last would count",
        "  b.json: data stands in lines 1 and 2; the last would count",
    ]


def test_a_file_of_a_profile_is_read_as_any_other(clone: Run, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/profile.yaml").write_text("configfile: [a.yaml, b.yaml]\n")
    (tmp_path / "a.yaml").write_text("seeds: [1]\nseeds: [2]\n")
    (tmp_path / "b.yaml").write_text("sed: 3\n")
    assert error(clone, "--profile", "own")[1:] == [
        "  a.yaml: seeds stands in lines 1 and 2; the last would count",
        "  sed: unknown key; did you mean seeds?",
    ]


@pytest.mark.parametrize("how", ["--configfile", "--config"])
def test_an_empty_section_has_its_defaults(clone: Run, tmp_path: Path, how: str) -> None:
    section = "labels={'crf': {}}" if how == "--config" else "a.yaml"
    (tmp_path / "a.yaml").write_text("labels: {crf: {}}")
    printed = clone("-n", "-p", "labels", how, section).stdout
    assert '"crf": {"bilateral_compat": 4.0' in printed


def test_more_clusters_than_images_are_refused(clone: Run) -> None:
    (said,) = error(clone, "--config", "prototypes={'clusters': 401}")
    assert said.endswith("at most 400, the images of train; came 401")


def test_doubts_come_once_and_with_the_plan(clone: Run) -> None:
    clip = "backbones={'clip': {'weights': 'random'}}"
    said = clone("-n", "cams", "--config", "text={'backgrounds': []}", clip).stderr
    assert said.count("warning: text.backgrounds is empty") == 1


@pytest.mark.slow
def test_jobs_find_their_python_and_their_settings_without_an_environment(tmp_path: Path) -> None:
    """Snakemake is called by its path; a profile names the settings; each job starts it anew."""
    folder = workflow_in(tmp_path)
    (folder / "own").mkdir()
    (folder / "own/profile.yaml").write_text("configfile: [tiny.yaml]\ncores: 1\n")
    (folder / "tiny.yaml").write_text(TINY)
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"]}
    in_folder(folder, environment)("--profile", "own", "results/demo/index/index.parquet")
    assert len(list((folder / "data/demo/images").iterdir())) == 12
