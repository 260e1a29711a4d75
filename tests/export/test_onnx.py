"""The graph says what the segmenter says, of images that it was not traced with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from torch import nn

from ssr.config import Prediction
from ssr.config.settings import recorded
from ssr.errors import InputError
from ssr.export import onnx
from ssr.export.onnx import write_onnx
from ssr.maps import upsample
from ssr.predict.segmenter import TrainedSegmenter, open_segmenter
from ssr.version import __version__
from tests.untrained_run import noise

pytestmark = pytest.mark.slow  # the graph is exported once, which takes some eight seconds

# One view of an image, which the graph takes; a longer one than 80 pixels is scaled down.
ONE_VIEW = Prediction(scales=(1.0,), flip=False, stride=4, max_side=80)


@pytest.fixture(scope="module")
def seen(results: Path) -> TrainedSegmenter:
    """The segmenter as it sees an image once."""
    return replace(open_segmenter(results, recorded(results), device="cpu"), settings=ONE_VIEW)


@pytest.fixture(scope="module")
def session(
    seen: TrainedSegmenter, tmp_path_factory: pytest.TempPathFactory
) -> onnxruntime.InferenceSession:
    path = tmp_path_factory.mktemp("onnx") / "small.onnx"
    write_onnx(seen, path)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def logits(session: onnxruntime.InferenceSession, image: np.ndarray) -> np.ndarray:
    (found,) = session.run(["logits"], {"image": image})
    return found


@pytest.mark.parametrize("size", [(32, 32), (72, 40), (16, 80), (8, 8)])
def test_logits_are_those_of_torch_to_a_hundred_thousandth(
    session: onnxruntime.InferenceSession, seen: TrainedSegmenter, size: tuple[int, int]
) -> None:
    image = noise(*size)
    expected = upsample(seen.logits(image), size)
    np.testing.assert_allclose(logits(session, image), expected, atol=1e-5)


# PIL weighs pixels in whole numbers, so that one in some thousands is another by one.
@pytest.mark.parametrize("size", [(37, 53), (1, 1), (3, 75), (163, 200), (61, 140)])
def test_images_of_any_size_are_resized_as_by_pil(
    session: onnxruntime.InferenceSession, seen: TrainedSegmenter, size: tuple[int, int]
) -> None:
    image = noise(*size)
    found, expected = logits(session, image), upsample(seen.logits(image), size)
    np.testing.assert_allclose(found, expected, atol=1e-2)
    assert np.mean(found.argmax(0) == seen.label(image)) > 0.999


def test_the_file_says_what_goes_in_and_what_comes_out(
    session: onnxruntime.InferenceSession, seen: TrainedSegmenter
) -> None:
    (image,), (found,) = session.get_inputs(), session.get_outputs()
    assert (image.type, image.shape) == ("tensor(uint8)", ["height", "width", 3])
    assert (found.type, found.shape) == ("tensor(float)", [3, "height", "width"])
    notes = session.get_modelmeta().custom_metadata_map
    assert json.loads(notes["classes"]) == ["background", "cat", "dog"]
    assert json.loads(notes["palette"])[2] == [0, 128, 0]
    assert json.loads(notes["max_side"]) == 80
    assert json.loads(notes["multiple"]) == 8
    assert json.loads(notes["segmenter"]) == seen.identity
    assert json.loads(notes["ssr_version"]) == __version__
    assert len(json.loads(notes["mean"])) == len(json.loads(notes["std"])) == 3


def test_nothing_is_written_over(segmenter: TrainedSegmenter, tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_text("mine")
    with pytest.raises(InputError, match=r"mine\.onnx: is there already"):
        write_onnx(segmenter, tmp_path / "mine.onnx")
    assert (tmp_path / "mine.onnx").read_text() == "mine"


def test_without_the_extra_one_is_told_how_to_install_it(
    segmenter: TrainedSegmenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'needs onnx and onnxscript: .* pip install "\.\[onnx\]"'):
        write_onnx(segmenter, tmp_path / "small.onnx")


def test_a_model_that_no_file_can_hold_is_refused(
    segmenter: TrainedSegmenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "_MOST_BYTES", 1000)
    with pytest.raises(InputError, match="holds at most 2 GB of weights; came"):
        write_onnx(segmenter, tmp_path / "small.onnx")
    assert not (tmp_path / "small.onnx").exists()


def test_a_cascade_of_heads_is_refused(
    segmenter: TrainedSegmenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmenter.model, "decode_head", nn.ModuleList())
    with pytest.raises(InputError, match="one decode head; came a cascade of them"):
        write_onnx(segmenter, tmp_path / "small.onnx")


@pytest.mark.parametrize(("number", "divisor"), [(5, 2), (7, 2), (4, 2), (250, 100), (249, 100)])
def test_halves_are_rounded_as_python_does(number: int, divisor: int) -> None:
    assert onnx._round(number, divisor) == round(number / divisor)
