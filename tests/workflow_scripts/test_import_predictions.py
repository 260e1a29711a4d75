"""import_predictions, and evaluate_labels behind it, on a shard that another system predicted."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ssr.config import Foreign
from ssr.data.index import Image, Index
from ssr.data.masks import Masks
from ssr.data.pngs import encode_png, open_pngs
from ssr.running.contents import Record, state_of

Run = Callable[..., None]
CLASSES = ("boat", "car")
TRUTH = np.repeat(np.array([0, 1, 2], np.uint8), 8).reshape(4, 6)
# One of eight pixels of boats is ignored, and all cars are right.
PREDICTED = np.where(np.arange(24).reshape(4, 6) == 8, 255, TRUTH).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Predictions of two images, one of them without labels, and their masks."""
    images = [
        Image(name, "", 6, 4, "val", labels, "val_0000")
        for name, labels in (("a", (1,)), ("b", ()))
    ]
    Index(tuple(images)).write(tmp_path / "index.parquet")
    Masks({"a": "truth.png", "b": "truth.png"}, tmp_path).write(tmp_path / "masks.parquet")
    (tmp_path / "truth.png").write_bytes(encode_png(TRUTH))
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(encode_png(PREDICTED))
    return tmp_path


def run_import(run_program: Run, folder: Path) -> Path:
    source = Foreign(path=str(folder), format="predictions")
    run_program(
        "import_predictions",
        *("--index", folder / "index.parquet", "--shard", "val_0000", "--state", "files 1"),
        *("--classes", *CLASSES, "--foreign", source.canonical()),
        *("--output", folder / "val_0000.zip"),
    )
    return folder / "val_0000.zip"


def test_every_image_has_its_prediction_and_a_change_is_noticed(
    run_program: Run, folder: Path
) -> None:
    made = run_import(run_program, folder)
    for name in "ab":
        np.testing.assert_array_equal(open_pngs([made]).read(name), PREDICTED)
    assert Record.read(made) is not None
    (folder / "b.png").write_bytes(encode_png(TRUTH))
    assert state_of(made, folder, ["a.png", "b.png"]) != "files 1"


def test_all_that_is_wrong_comes_in_one_report_and_nothing_is_written(
    run_program: Run, folder: Path
) -> None:
    (folder / "a.png").unlink()
    (folder / "b.png").write_bytes(encode_png(PREDICTED.T.copy()))
    with pytest.raises(SystemExit) as error:
        run_import(run_program, folder)
    assert str(error.value) == (
        f"error: the foreign predictions in {folder} cannot be used:\n"
        "  1 × image without its file: a.png\n"
        "  1 × prediction of another size than its image: b (6×4 of 4×6)"
    )
    assert not (folder / "val_0000.zip").exists()


def test_they_are_evaluated_as_they_are(run_program: Run, folder: Path) -> None:
    run_program(
        "evaluate_labels",
        *("--stage", "prediction", "--split", "val", "--root", folder, "--classes", *CLASSES),
        *("--index", folder / "index.parquet", "--masks", folder / "masks.parquet"),
        *("--pngs", run_import(run_program, folder), "--output", folder / "val.json"),
    )
    found = json.loads((folder / "val.json").read_text())
    assert (found["stage"], found["images"], found["crf"]) == ("prediction", 2, False)
    unknown = ("scales", "flip", "threshold", "threshold_from", "miou_given_labels")
    assert {found[name] for name in unknown} == {None}
    assert found["miou"] == 1.0, "what is ignored is no mistake"
    assert found["labelled"] == pytest.approx(23 / 24)
