"""The table, the chart and the words of `ssr compare`."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import pytest

from ssr.compare.command import main, names
from tests.compare.runs import make_run


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two runs of the same images, of which one has a threshold that was set, and one of others."""
    return [
        make_run(tmp_path / "one", {"clip": 0.6, "clip_attention": 0.8}),
        make_run(tmp_path / "set", {"clip": 0.7}, threshold_from=None),
        make_run(tmp_path / "other", {"clip": 0.9}, images="abcd"),
    ]


def compare(folders: list[Path], out: Path | None = None, stage: str | None = None) -> int:
    return main(argparse.Namespace(results=folders, out=out, stage=stage))


def test_rows_are_marked_with_their_protocol_and_differences_are_named(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(folders) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0] == "Pseudo-label, in per cent"
    assert [line.split()[:3] for line in lines[3:7]] == [
        ["A", "one", "clip"],
        ["A", "one", "clip_attention"],
        ["B", "set", "clip"],
        ["C", "other", "clip"],
    ]
    assert [line.count("–") for line in lines[3:7]] == [4, 1, 1, 4], "no difference, and no spread"
    words = " ".join(printed.split())
    assert "A: classes 4 (" in words
    assert (
        "B differs from A: background threshold a setting instead of chosen on tune (5 images)."
    ) in words
    assert "C can't be compared with A: images 4 (" in words
    assert "between these lie 95 % of the differences" in words
    assert max(map(len, lines[7:])) <= 100


def test_table_and_chart_are_files_with_one_value_a_cell(
    folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(folders, tmp_path / "out")
    made = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    suffixes = ("csv", "md", "tex", "pdf", "png", "svg")
    assert set(made) == {f"comparison.{suffix}" for suffix in suffixes}
    assert capsys.readouterr().out.endswith("comparison.csv, .md, .tex, .pdf, .png, .svg\n")
    first, second, *_ = csv.DictReader((tmp_path / "out/comparison.csv").read_text().splitlines())
    assert first["Difference"] == ""
    gained = float(second["mIoU"]) - float(first["mIoU"])
    assert float(second["Difference"]) == pytest.approx(gained, abs=0.11)
    assert float(second["Low"]) < gained < float(second["High"])
    compare(folders, tmp_path / "again")
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == made


def test_where_a_class_is_only_predicted_the_other_mean_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = {"only_predicted_classes": ["owl"], "miou_true_classes": 0.713}
    compare([make_run(tmp_path / "one", {"clip": 0.6, "clip_attention": 0.8}, **only)])
    words = " ".join(capsys.readouterr().out.split())
    assert "whose IoU is 0 above: 71.3 one clip; 71.3 one clip_attention." in words


def test_what_figures_rest_on_is_told_as_far_as_a_run_has_summarised_them(
    folders: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"config_hash": "0123456789ab", "version": "1.2", "commit": None}
    monkeypatch.setattr("ssr.results.read_summary", lambda _: [row])
    (folders[0] / "summary.json").touch()
    compare(folders)
    printed = capsys.readouterr().out
    assert printed.endswith("\none: settings 0123456789ab, version 1.2, commit unknown.\n")


def test_runs_are_called_by_their_folder_or_where_two_are_alike_by_its_path() -> None:
    folders = [Path("/a/results/voc"), Path("/a/results/coco"), Path("/b/results/coco")]
    assert names(folders) == ["voc", "/a/results/coco", "/b/results/coco"]
