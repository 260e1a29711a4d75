"""summarise and print_summary: from evaluations to a table."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ssr.evaluation.evaluation import quality, write_evaluation

Run = Callable[..., None]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with one evaluation."""
    document = {"stage": "prediction", "split": "val", "images": 5, "crf": False, "flip": True}
    document |= {"scales": [1.0], "threshold": None, "threshold_from": None}
    document |= {"miou_given_labels": None}
    document |= quality(np.array([[9, 1], [1, 9]]), ["background", "cat"])
    write_evaluation(tmp_path / "prediction.json", document)
    return tmp_path


def summarise(run_program: Run, results: Path, *evaluations: str) -> None:
    flags = ["--dataset", "demo", "--seed", 7, "--config-hash", "abc"]
    flags += ["--output", results / "summary.json", "--evaluations", *evaluations]
    run_program("summarise", *flags)


def test_methods_that_share_a_stage_each_have_its_row(run_program: Run, results: Path) -> None:
    path = results / "prediction.json"
    summarise(run_program, results, f"ssr={path}", f"clip={path}")
    rows = json.loads((results / "summary.json").read_text())
    assert [row["method"] for row in rows] == ["ssr", "clip"]
    assert {row["seed"] for row in rows} == {7}
    assert rows[0] == rows[1] | {"method": "ssr"}


def test_the_table_and_the_place_of_the_report_are_printed(
    run_program: Run, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summarise(run_program, results, f"ssr={results / 'prediction.json'}")
    run_program("print_summary", results)
    printed = capsys.readouterr().out
    assert "dataset demo, seed 7, settings abc" in printed
    assert "81.8" in printed
    assert "report:" not in printed
    (results / "report").mkdir()
    (results / "report" / "index.html").touch()
    run_program("print_summary", results)
    assert f"report: {results}/report/index.html" in capsys.readouterr().out


def test_a_file_needs_its_method(
    run_program: Run, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        summarise(run_program, results, str(results / "prediction.json"))
    assert "wanted METHOD=FILE" in capsys.readouterr().err


def test_without_a_summary_the_way_to_one_is_told(run_program: Run, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"error: .*summary\.json: no such file; run snakemake"):
        run_program("print_summary", tmp_path)
