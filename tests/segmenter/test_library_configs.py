"""Configs of mmsegmentation, and ours beside them, laid over in a file of one's own to be tiny."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ssr.config import Backbone, Prediction, Segmenter
from ssr.segmenter.model import build, export, load, model_config
from ssr.segmenter.prediction import predict
from tests import ROOT
from tests.segmenter.conftest import CLASSES

DEEPLAB = """
_base_ = "mmseg::deeplabv3plus/deeplabv3plus_r50-d8_4xb4-20k_voc12aug-512x512.py"
model = dict(
    pretrained=None,
    backbone=dict(stem_channels=4, base_channels=4),
    decode_head=dict(in_channels=128, channels=8, c1_in_channels=16, c1_channels=4),
    auxiliary_head=dict(in_channels=64, channels=8))
"""
SEGFORMER = """
_base_ = "mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py"
model = dict(
    backbone=dict(init_cfg=None, embed_dims=4),
    decode_head=dict(in_channels=[4, 8, 20, 32], channels=8))
"""


DEEPLAB_V2 = f"""
_base_ = "{ROOT}/config/segmenters/deeplab_v2.yaml"
model = dict(
    pretrained=None,
    backbone=dict(depth=50, stem_channels=4, base_channels=4),
    decode_head=dict(in_channels=128))
"""
NAMES = ["DeepLabV3+", "SegFormer", "DeepLabV2"]


@pytest.fixture(params=[DEEPLAB, SEGFORMER, DEEPLAB_V2], ids=NAMES)
def own_config(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / "own.py"
    path.write_text(request.param)
    return str(path)


def test_it_is_trained_resumed_and_predicts(
    own_config: str,
    fit: Callable[..., dict[str, Tensor]],
    settings: Segmenter,
    backbone: Backbone,
    interrupt: Callable[[int, Callable[[], None]], None],
    tmp_path: Path,
) -> None:
    changes: dict[str, Any] = {"iterations": 2, "warmup": 1, "checkpoint_every": 1}
    settings = settings.model_copy(update=changes | {"config": own_config})
    undisturbed = fit(settings, "one")
    interrupt(1, stop)
    with pytest.raises(KeyboardInterrupt):
        fit(settings, "two")
    resumed = fit(settings, "two")
    assert all(torch.equal(resumed[name], value) for name, value in undisturbed.items())

    config = model_config(settings, backbone, len(CLASSES))
    model = build(config)
    model.load_state_dict(resumed)
    files = tmp_path / "model.safetensors", tmp_path / "model.json"
    export(model, config, CLASSES, *files)
    image = np.full((30, 44, 3), 128, np.uint8)
    logits = predict(load(*files, "cpu"), image, Prediction())
    assert logits.shape == (len(CLASSES), 8, 11)
    assert np.isfinite(logits).all()


def stop() -> None:
    raise KeyboardInterrupt
