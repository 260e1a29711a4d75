"""The whole DAG in miniature: from nothing to summary.json, and nothing twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ssr import open_results
from tests.workflow.conftest import Run, rules_in

pytestmark = pytest.mark.slow

STAGES = ["initial_cam", "aligned_cam", "refined_cam", "pseudo_label", "prediction"]


def test_summary_has_every_stage_with_all_it_takes_to_read_a_figure(mini_folder: Path) -> None:
    rows = json.loads((mini_folder / "results/mini/summary.json").read_text())
    assert [row["stage"] for row in rows if row["method"] == "ssr"] == [*STAGES, "prediction_crf"]
    assert {row["method"] for row in rows} == {"ssr", "clip", "no_refinement", "box_mask"}
    for row in rows:
        assert row["dataset"] == "mini"
        assert (row["split"], row["images"]) == ("val", 6)
        assert 0 <= row["miou"] <= 100
        assert len(row["per_class"]) == 11
        assert {"precision", "recall", "confusion_ratio", "crf", "scales", "flip"} <= set(row)
        assert 0 <= row["fb_iou"] <= 1
        assert (row["miou_given_labels"] is None) == (row["stage"] != "prediction")
        assert {"threshold", "seed", "config_hash"} <= set(row)


def test_page_of_pictures_is_self_contained(mini_folder: Path) -> None:
    page = (mini_folder / "results/mini/report/index.html").read_text()
    assert "data:image/png;base64," in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_results_are_opened_with_the_settings_of_their_run(mini_folder: Path) -> None:
    results = open_results(mini_folder / "results/mini")
    assert results.config.dataset == "mini"
    assert "predictions/ssr" in results
    assert list(results["cams/refined/ssr"])[-1] in results["features/ssr"]


def test_a_second_run_has_nothing_to_do(mini: Run) -> None:
    assert "Nothing to be done" in "".join(mini("-n").stdout + mini("-n").stderr)


def test_touched_inputs_and_restored_files_rerun_nothing(snakemake: Run, folder: Path) -> None:
    (folder / "data/mini/labels.csv").touch()
    assert rules_in(snakemake("-n")) == set()


def test_every_job_leaves_a_log_and_a_benchmark(mini_folder: Path) -> None:
    results = mini_folder / "results/mini"
    logged = {path.parent.name for path in results.glob("logs/*/*.log")}
    measured = {path.parent.name for path in results.glob("benchmarks/*/*.tsv")}
    assert logged == measured
    assert {"extract_features", "train_segmenter", "build_report"} <= logged


def test_a_shard_cut_short_is_named_and_nothing_is_lost(snakemake: Run, folder: Path) -> None:
    store = folder / "results/mini/cams/initial/ssr/val_0000.zarr.zip"
    whole = store.read_bytes()
    store.write_bytes(whole[: len(whole) // 2])
    refined = "results/mini/cams/refined/clip/val_0000.zarr.zip"
    done = snakemake("--cores", "1", "--force", refined, check=False)
    assert done.returncode != 0
    assert "error: results/mini/cams/initial/ssr/val_0000.zarr.zip" in done.stdout + done.stderr
    assert not (folder / refined).exists()
    store.write_bytes(whole)
    snakemake("--cores", "2", refined, "--rerun-triggers", "mtime")
    assert (folder / refined).exists()
