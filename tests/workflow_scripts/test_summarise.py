"""summarise and print_summary: from evaluations to a table."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ssr.evaluation.evaluation import quality, write_evaluation
from ssr.evaluation.image_scores import beside, sparse, write_image_counts
from ssr.version import __version__

Run = Callable[..., None]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with one evaluation."""
    document = {"stage": "prediction", "split": "val", "images": 5, "crf": False, "flip": True}
    document |= {"scales": [1.0], "threshold": None, "threshold_from": None}
    document |= {"miou_given_labels": None, "protocol": "held_out"}
    confusion = np.array([[9, 1], [1, 9]])
    document |= quality(confusion, ["background", "cat"])
    write_evaluation(tmp_path / "prediction.json", document)
    write_image_counts(beside(tmp_path / "prediction.json"), {"a": sparse(confusion)})
    return tmp_path


def summarise(run_program: Run, results: Path, *evaluations: str) -> None:
    flags = ["--dataset", "demo", "--config-hash", "abc"]
    flags += ["--output", results / "summary.json", "--evaluations", *evaluations]
    run_program("summarise", *flags)


def test_methods_that_share_a_stage_each_have_its_row(run_program: Run, results: Path) -> None:
    path = results / "prediction.json"
    summarise(run_program, results, f"ssr/7={path}", f"clip/7={path}")
    rows = json.loads((results / "summary.json").read_text())
    assert [row["method"] for row in rows] == ["ssr", "clip"]
    assert {row["seed"] for row in rows} == {7}
    assert rows[0] == rows[1] | {"method": "ssr"}


def test_a_row_says_by_which_code_it_was_made(
    run_program: Run, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ssr.running.provenance.commit", lambda: "0123456789ab+")
    summarise(run_program, results, f"ssr/7={results / 'prediction.json'}")
    (row,) = json.loads((results / "summary.json").read_text())
    assert (row["version"], row["commit"]) == (__version__, "0123456789ab+")


def test_the_table_and_the_place_of_the_report_are_printed(
    run_program: Run, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summarise(run_program, results, f"ssr/7={results / 'prediction.json'}")
    run_program("print_summary", results)
    printed = capsys.readouterr().out
    assert "dataset demo, seed 7, settings abc" in printed
    assert "81.8" in printed
    assert "report:" not in printed
    (results / "report").mkdir()
    (results / "report" / "index.html").touch()
    run_program("print_summary", results)
    assert f"report: {results}/report/index.html" in capsys.readouterr().out


@pytest.mark.parametrize("before", ["", "ssr=", "ssr/one=", "/7="])
def test_a_file_needs_its_method_and_its_seed(
    run_program: Run, results: Path, capsys: pytest.CaptureFixture[str], before: str
) -> None:
    with pytest.raises(SystemExit):
        summarise(run_program, results, f"{before}{results / 'prediction.json'}")
    assert "wanted METHOD/SEED=FILE" in capsys.readouterr().err


def test_without_a_summary_the_way_to_one_is_told(run_program: Run, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"error: .*summary\.json: no such file; run snakemake"):
        run_program("print_summary", tmp_path)
