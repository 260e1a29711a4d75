"""The command with which `ssr init` ends."""

from __future__ import annotations

import shlex
from argparse import Namespace
from pathlib import Path

import pytest

from ssr.init import command
from ssr.running.machine import Machine
from tests.init.conftest import LAPTOP, boats, mask
from tests.workflow.conftest import in_folder, rules_in, workflow_in


def test_the_next_command_runs_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workflow_in(tmp_path))
    monkeypatch.setattr(Machine, "here", lambda: LAPTOP)
    monkeypatch.setattr("ssr.init.check.rare_words", lambda _: [])  # whose import takes seconds
    for number in range(4):
        mask(boats(Path("my boats")) / f"masks/{number:02}.png", 0, 1)
    assert (
        command.main(Namespace(folder=Path("my boats"), out=Path("my boats.yaml"), check=None)) == 0
    )
    program, *arguments = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert program == "snakemake"
    printed = in_folder(tmp_path)("-n", *arguments)
    assert {"fetch_weights", "choose_threshold", "train_segmenter"} <= rules_in(printed)
    assert "warning:" not in printed.stderr
