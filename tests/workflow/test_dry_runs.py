"""The tests' dry-runs are those of a user."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.workflow.conftest import in_folder, workflow_in


def jobs(run: subprocess.CompletedProcess[str]) -> list[list[str]]:
    """The words of each line on a job and its reason; their order means nothing."""
    lines = re.findall(r"^(?:(?:local)?rule \w+:|    \w+: .*)$", run.stdout, re.MULTILINE)
    return sorted(sorted(re.split("[ ,;]+", line)) for line in lines)


def test_a_fork_prints_what_a_process_of_its_own_prints(tmp_path: Path) -> None:
    folder = workflow_in(tmp_path)
    arguments = ("-n", "ablation", "--config", "seeds=[1]")
    fresh = in_folder(folder, os.environ)(*arguments)
    assert "rule refine_cams:" in fresh.stdout
    assert jobs(in_folder(folder)(*arguments)) == jobs(fresh)
