"""Predictions of other systems: what is read, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from ssr.data.findings import Findings
from ssr.data.foreign_predictions import read_prediction
from ssr.data.index import Image
from ssr.data.pngs import encode_png
from ssr.errors import InputError

IMAGE = Image("one", "one.jpg", 6, 4, "val", (2,), "val_0000")
LABELS = np.array([[0, 1, 2, 3, 255, 0]] * 4, np.uint8)


def read(folder: Path) -> np.ndarray | None:
    findings = Findings()
    labels = read_prediction(folder, IMAGE, 3, findings)
    findings.raise_problems("x", "foreign predictions")
    return labels


@pytest.mark.parametrize("palette", [True, False], ids=["palette", "greyscale"])
def test_pixels_are_indices_whatever_their_colours(tmp_path: Path, palette: bool) -> None:
    path = tmp_path / "one.png"
    if palette:
        path.write_bytes(encode_png(LABELS))
    else:
        Picture.fromarray(LABELS).save(path)
    np.testing.assert_array_equal(read(tmp_path), LABELS)


def test_a_palette_that_colours_were_turned_into_is_a_warning(tmp_path: Path) -> None:
    findings, path = Findings(), tmp_path / "one.png"
    path.write_bytes(encode_png(LABELS))
    read_prediction(tmp_path, IMAGE, 3, findings)
    assert findings.warnings == []
    Picture.open(path).convert("RGB").quantize(5).save(path)
    read_prediction(tmp_path, IMAGE, 5, findings)
    assert findings.warnings == ["1 × palette that is not VOC's; its indices are taken: one.png"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"1 × image without its file: one\.png$"),
        (LABELS.T, r"1 × prediction of another size than its image: one \(6×4 of 4×6\)$"),
        (LABELS + 1, r"1 × prediction with values of no class: one \(\[4\], of 0 to 3 and 255\)$"),
        (np.zeros((4, 6, 3), np.uint8), r"1 × file that cannot be used: .*one\.png: .* mode RGB$"),
        (pickle.dumps(LABELS), r"1 × file that cannot be used: .*one\.png: cannot be read as an"),
        (encode_png(LABELS)[:60], r"1 × file that cannot be used: .*one\.png: cannot be read as"),
    ],
    ids=["missing", "turned", "unknown class", "colours", "pickle", "cut short"],
)
def test_what_is_no_prediction_of_the_image_is_a_finding(
    tmp_path: Path, content: np.ndarray | bytes | None, message: str
) -> None:
    path = tmp_path / "one.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        Picture.fromarray(np.ascontiguousarray(content)).save(path)
    with pytest.raises(InputError, match=message):
        read(tmp_path)
