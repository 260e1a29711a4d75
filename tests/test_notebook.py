"""The notebook of docs/ on made-up results: every cell runs."""

import json
import runpy
from pathlib import Path

import pytest
from matplotlib import pyplot as plt

from tests import ROOT
from tests.made_up_results import make_results

NOTEBOOK = ROOT / "docs/inspect_results.ipynb"
CELLS = json.loads(NOTEBOOK.read_text())["cells"]


def test_every_cell_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = make_results(tmp_path)
    results.rename(results.with_name("demo"))
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    script = tmp_path / "cells.py"
    code = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
    script.write_text("\n\n".join(code))
    values = runpy.run_path(str(script))
    assert values["row"].shape == (6, 8)
    assert len(plt.get_fignums()) == 2
    assert capsys.readouterr().out.count("cams/") == 2
    plt.close("all")


def test_no_output_is_kept() -> None:
    assert not any(cell.get("outputs") for cell in CELLS)
