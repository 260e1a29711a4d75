"""refine_predictions and the evaluations of a segmenter's answer before and after it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssr.config import Crf, Prediction
from ssr.data.index import Index
from ssr.data.pngs import open_pngs
from ssr.labels import IGNORE
from tests.evaluated_folder import CLASSES, make_folder, write_logits

Run = Callable[..., None]
CRF = Crf(bilateral_sxy=20, bilateral_srgb=20, gaussian_compat=1)
TEST_TIME = Prediction(scales=(1.0, 0.5), flip=False)


def refine(run_program: Run, folder: Path, name: str, threads: int = 1) -> Path:
    output = folder / name / "tune_0000.zip"
    run_program(
        "refine_predictions",
        *("--index", folder / "index.parquet", "--root", folder, "--shard", "tune_0000"),
        *("--crf", CRF.canonical(), "--logits", write_logits(folder, "tune_0000")),
        *("--output", output, "--threads", threads),
    )
    return output


def evaluate(run_program: Run, folder: Path, name: str, *flags: object) -> dict[str, Any]:
    output = folder / "evaluation.json"
    run_program(
        name,
        *("--split", "tune", "--index", folder / "index.parquet", "--classes", *CLASSES),
        *("--masks", folder / "masks.parquet", "--root", folder, "--output", output),
        *("--prediction", TEST_TIME.canonical(), *flags),
    )
    return json.loads(output.read_text())


def test_the_crf_brings_coarse_logits_to_the_edges_of_the_image(
    run_program: Run, tmp_path: Path
) -> None:
    masks = make_folder(tmp_path)
    predictions = open_pngs([refine(run_program, tmp_path, "predictions")])
    assert predictions.ids == ["d", "e"]
    truth = masks["d"]
    wrong = (predictions.read("d") != truth) & (truth != IGNORE)
    assert wrong.mean() < 0.01
    np.testing.assert_array_equal(predictions.read("d").shape, truth.shape)


def test_evaluations_say_how_the_segmenter_was_asked(run_program: Run, tmp_path: Path) -> None:
    make_folder(tmp_path)
    predictions = refine(run_program, tmp_path, "predictions")
    logits = tmp_path / "logits" / "tune_0000.zarr.zip"
    before = evaluate(
        run_program, tmp_path, "evaluate_logits", "--stage", "prediction", "--logits", logits
    )
    after = evaluate(
        run_program, tmp_path, "evaluate_labels", "--stage", "prediction_crf", "--pngs", predictions
    )
    assert after["miou"] > before["miou"] > 0.5
    assert after["miou_given_labels"] is None
    assert (before["stage"], before["crf"]) == ("prediction", False)
    assert (after["stage"], after["crf"]) == ("prediction_crf", True)
    for result in (before, after):
        assert 0.5 < result["fb_iou"] <= 1
        assert (result["scales"], result["flip"]) == ([1.0, 0.5], False)
        assert (result["threshold"], result["threshold_from"]) == (None, None)
        assert (result["split"], result["images"], result["labelled"]) == ("tune", 2, 1)


@pytest.mark.parametrize("known", [True, False])
def test_a_figure_with_labels_given_is_there_where_labels_are_known(
    run_program: Run, tmp_path: Path, known: bool
) -> None:
    make_folder(tmp_path)
    if not known:
        images = Index.read(tmp_path / "index.parquet").images
        Index([replace(image, labels=()) for image in images]).write(tmp_path / "index.parquet")
    logits = write_logits(tmp_path, "tune_0000")
    result = evaluate(
        run_program, tmp_path, "evaluate_logits", "--stage", "prediction", "--logits", logits
    )
    assert result["miou_given_labels"] == (result["miou"] if known else None)
    assert result["miou"] is not None


def test_two_processes_write_the_same_file(run_program: Run, tmp_path: Path) -> None:
    make_folder(tmp_path)
    one = refine(run_program, tmp_path, "one").read_bytes()
    assert refine(run_program, tmp_path, "two", threads=2).read_bytes() == one


def test_a_store_cut_short_is_named_and_leaves_no_file(run_program: Run, tmp_path: Path) -> None:
    make_folder(tmp_path)
    store = write_logits(tmp_path, "tune_0000")
    store.write_bytes(store.read_bytes()[:500])
    output = tmp_path / "none" / "tune_0000.zip"
    with pytest.raises(SystemExit, match=r"error: .*tune_0000\.zarr\.zip"):
        run_program(
            "refine_predictions",
            *("--index", tmp_path / "index.parquet", "--root", tmp_path, "--shard", "tune_0000"),
            *("--crf", CRF.canonical(), "--logits", store, "--output", output),
        )
    assert not output.exists()
