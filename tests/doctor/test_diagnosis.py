"""`ssr doctor` on folders that need no Snakemake to be judged."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from ssr.doctor import diagnosis
from ssr.doctor.workflow import Job, Workflow
from ssr.errors import InputError

FOLDER = Path("results/x")


@pytest.fixture(autouse=True)
def _in_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workflow = Workflow((Job("summarise", (FOLDER / "summary.json",)),))
    monkeypatch.setattr("ssr.doctor.diagnosis.ask", lambda configfiles: workflow)


def examine(results: Path) -> int:
    return diagnosis.main(argparse.Namespace(results=results, configfile=["x.yaml"]))


def test_a_sound_folder_ends_with_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    FOLDER.mkdir(parents=True)
    (FOLDER / "summary.json").write_text("[]\n")
    assert examine(FOLDER) == 0
    assert capsys.readouterr().out == (
        "results/x: 1 artefacts, 3 bytes; to be made yet: 0\nno findings\n"
    )


def test_findings_end_with_status_1_and_the_next_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    FOLDER.mkdir(parents=True)
    (FOLDER / "summary.json").write_text("[\n")
    assert examine(FOLDER) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2:] == ["1 finding", "then: snakemake --cores all --configfile x.yaml"]


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(InputError, match="results/x: no such folder"):
        examine(FOLDER)


def test_a_folder_of_another_configuration_is_refused() -> None:
    Path("results/y").mkdir(parents=True)
    with pytest.raises(InputError, match="results/y is not made by this configuration"):
        examine(Path("results/y"))
