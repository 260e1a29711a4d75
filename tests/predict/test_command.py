import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssr.config.settings import recorded
from ssr.data.images import load_image
from ssr.data.pngs import read_labels
from ssr.errors import InputError
from ssr.predict.command import main
from ssr.predict.segmenter import open_segmenter
from tests.predict.conftest import SIZES

Call = Callable[..., int]


@pytest.fixture
def call(results: Path, photographs: Path, tmp_path: Path) -> Call:
    """The command on the photographs, with other arguments if they are given."""
    usual = {"images": [photographs], "out": tmp_path / "out", "method": None, "overlay": False}
    usual |= {"crf": False, "scales": None, "tiles": None, "device": "cpu", "results": results}
    return lambda **changes: main(argparse.Namespace(**usual | changes))


def test_each_image_gets_a_png_of_its_own_size(
    call: Call, results: Path, photographs: Path, tmp_path: Path
) -> None:
    assert call(overlay=True) == 0
    segmenter = open_segmenter(results, recorded(results))
    for name, size in SIZES.items():
        stem = name.partition(".")[0]
        labels = read_labels(tmp_path / f"out/labels/{stem}.png")
        assert labels.shape == size
        np.testing.assert_array_equal(labels, segmenter.label(load_image(photographs / name)))
        assert load_image(tmp_path / f"out/overlays/{stem}.jpg").shape == (*size, 3)


def test_what_pixels_mean_stands_beside_them(call: Call, tmp_path: Path) -> None:
    call()
    classes = json.loads((tmp_path / "out/segmentation.json").read_text())["classes"]
    assert [each["name"] for each in classes] == ["background", "cat", "dog"]
    assert classes[2] == {"index": 2, "name": "dog", "colour": [0, 128, 0]}
    with Image.open(tmp_path / "out/labels/wide.png") as png:
        assert png.getpalette()[6:9] == classes[2]["colour"]


def test_only_what_is_missing_is_predicted(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call()
    kept, lost = (tmp_path / f"out/labels/{name}.png" for name in ("wide", "deep/tall"))
    before, content = kept.stat(), lost.read_bytes()
    lost.unlink()
    call()
    assert lost.read_bytes() == content
    after = kept.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert "2 of 2 images are predicted (1 of them were there before)" in capsys.readouterr().out


def test_an_image_that_cannot_be_read_is_named_and_the_others_are_predicted(
    call: Call, photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photographs / "broken.png").write_bytes(b"no image")
    assert call() == 1
    said = capsys.readouterr()
    assert f"error: {photographs}/broken.png: cannot be read as an image" in said.err
    assert "2 of 3 images are predicted" in said.out
    assert not (tmp_path / "out/labels/broken.png").exists()


def test_a_name_that_is_too_long_is_told_of_and_the_others_are_predicted(
    call: Call, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photographs / f"{'n' * 249}.png").write_bytes((photographs / "wide.png").read_bytes())
    assert call() == 1
    said = capsys.readouterr()
    assert ".png: File name too long" in said.err
    assert "2 of 3 images are predicted" in said.out


@pytest.mark.parametrize("changes", [{"crf": True}, {"scales": [1.0]}, {"tiles": 32}])
def test_other_settings_have_a_folder_of_their_own(call: Call, changes: dict[str, object]) -> None:
    call()
    with pytest.raises(InputError, match="of another segmenter or with other settings"):
        call(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scales": [0.0]}, r"--scales are numbers above 0; came \[0\.0\]"),
        ({"tiles": 4}, r"--tiles are at least prediction\.stride 8; came 4"),
    ],
)
def test_settings_without_sense_are_refused(
    call: Call, changes: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        call(**changes)
    assert not (tmp_path / "out").exists()
