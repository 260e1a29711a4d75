"""import_cams: the program on a shard whose maps another system saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssr.artefacts.store import open_shards
from ssr.config import Foreign
from ssr.data.index import Image, Index
from ssr.running.contents import Record, state_of

Run = Callable[..., None]
RANDOM = np.random.default_rng(0)
LABELS = {"one": (2,), "two": (1, 3), "unknown": ()}
MAPS = {name: RANDOM.random((len(labels), 4, 6)) for name, labels in LABELS.items() if labels}
FILES = [f"{name}.npy" for name in LABELS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Maps of the labelled images of a shard."""
    images = [Image(name, "", 24, 16, "val", own, "val_0000") for name, own in LABELS.items()]
    images.append(Image("other", "", 24, 16, "val", (1,), "val_0001"))
    Index(tuple(images)).write(tmp_path / "index.parquet")
    for name, maps in MAPS.items():
        keys = np.array(LABELS[name]) - 1
        np.save(tmp_path / f"{name}.npy", {"keys": keys, "cam": maps}, allow_pickle=True)
    return tmp_path


def run_import(run_program: Run, folder: Path, **changes: Any) -> Path:
    source = Foreign(**{"path": str(folder), "format": "npy", **changes})
    run_program(
        "import_cams",
        *("--index", folder / "index.parquet", "--shard", "val_0000", "--state", "files 1"),
        *("--classes", "boat", "car", "dog", "--foreign", source.canonical()),
        *("--output", folder / "cams.zarr.zip"),
    )
    return folder / "cams.zarr.zip"


def test_each_image_with_a_label_has_its_maps_as_they_came(run_program: Run, folder: Path) -> None:
    cams = open_shards([run_import(run_program, folder)])
    assert cams.ids == ["one", "two"]
    for name, maps in MAPS.items():
        np.testing.assert_array_equal(cams.read(name, "cams"), maps.astype("f4"))
        assert cams.read(name, "classes").tolist() == [*LABELS[name]]


def test_what_was_read_is_recorded_and_a_change_noticed(run_program: Run, folder: Path) -> None:
    made = run_import(run_program, folder)
    assert Record.read(made) is not None
    assert state_of(made, folder, FILES) == "files 1"
    (folder / "two.npy").write_bytes(b"x")
    assert state_of(made, folder, FILES) != "files 1"


def test_all_that_is_wrong_comes_in_one_report_and_nothing_is_written(
    run_program: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "one.npy").unlink()
    np.save(folder / "two.npy", RANDOM.random((3, 6, 4)))
    with pytest.raises(SystemExit) as error:
        run_import(run_program, folder)
    assert str(error.value) == (
        f"error: the foreign CAMs in {folder} cannot be used:\n"
        "  1 × image without its file: one.npy\n"
        "  1 × map that lies on its side: two (6×4 of 16×24)"
    )
    assert not (folder / "cams.zarr.zip").exists()


def test_maps_of_one_value_are_a_warning(
    run_program: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(folder / "one.npy", np.zeros((1, 4, 6)))
    run_import(run_program, folder)
    warning = "warning: 1 × image with a map of one value everywhere: one"
    assert warning in capsys.readouterr().err
