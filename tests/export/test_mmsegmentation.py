"""What mmsegmentation opens by its own functions says what the segmenter says."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from ssr.config import Prediction
from ssr.errors import InputError
from ssr.export.mmsegmentation import write_mmsegmentation
from ssr.maps import upsample
from ssr.predict.segmenter import TrainedSegmenter
from ssr.segmenter import mmseg_import  # noqa: F401 (before mmseg itself, where mmcv is mmcv-lite)
from tests.untrained_run import noise

from mmseg.apis import MMSegInferencer, inference_model, init_model  # isort: skip

ONE_VIEW = Prediction(scales=(1.0,), flip=False, stride=8)


@pytest.fixture
def folder(segmenter: TrainedSegmenter, tmp_path: Path) -> Path:
    """The files, moved to another place after they were written."""
    write_mmsegmentation(segmenter, tmp_path / "written")
    shutil.move(tmp_path / "written", tmp_path / "moved")
    return tmp_path / "moved"


def bgr(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[..., ::-1])


def test_its_logits_are_those_of_the_segmenter(folder: Path, segmenter: TrainedSegmenter) -> None:
    image = noise(40, 96)
    model = init_model(str(folder / "config.py"), str(folder / "checkpoint.pth"), device="cpu")
    found = inference_model(model, bgr(image)).seg_logits.data.numpy()
    expected = upsample(replace(segmenter, settings=ONE_VIEW).logits(image), (40, 96))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert model.dataset_meta["classes"] == ("background", "cat", "dog")
    assert model.dataset_meta["palette"][2] == [0, 128, 0]


def test_images_that_are_no_whole_patches_are_labelled_nearly_alike(
    folder: Path, segmenter: TrainedSegmenter
) -> None:
    """OpenCV's bicubic is not PIL's."""
    image = noise(37, 93)
    infer = MMSegInferencer(str(folder / "config.py"), str(folder / "checkpoint.pth"), device="cpu")
    found = infer(bgr(image))["predictions"]
    expected = replace(segmenter, settings=ONE_VIEW).label(image)
    assert found.shape == expected.shape
    assert np.mean(found == expected) > 0.95


def test_frozen_clip_comes_along(folder: Path) -> None:
    clip = Config.fromfile(folder / "config.py").model.backbone.clip
    assert clip == {"model": f"{folder}/clip.json", "weights": f"{folder}/clip.safetensors"}
    assert {path.name for path in folder.iterdir()} == {
        *("config.py", "checkpoint.pth", "clip.json", "clip.safetensors")
    }


def test_nothing_is_written_over(folder: Path, segmenter: TrainedSegmenter) -> None:
    with pytest.raises(InputError, match=r"moved: is there already"):
        write_mmsegmentation(segmenter, folder)
