"""A run whose segmenter is untrained, but in every other way what a run leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ssr.config import Backbones, Config, Data, Features, Prediction, Segmenter
from ssr.config.settings import record
from ssr.segmenter.model import build, export, model_config
from ssr.segmenter.prediction import predict
from tests import ROOT
from tests.backbone_models import tiny_clip

CLASSES = ("cat", "dog")


def untrained_run(clone: Path) -> Path:
    """results/small of a clone, which is empty; CLIP's file is named as from there."""
    (clone / "backbones").symlink_to(ROOT / "backbones")
    clip = tiny_clip(clone)
    settings = Segmenter(width=16, heads=2, crop_size=32, text=False)
    config = Config(
        dataset="small",
        data=Data(classes=CLASSES),
        backbones=Backbones(clip=clip),
        features=Features(clip_attention_blocks=1),
        segmenter=settings,
        prediction=Prediction(stride=8, scales=(1.0, 1.5)),
    )
    torch.manual_seed(0)
    model = model_config(settings, clip, 1 + len(CLASSES))
    folder = clone / "results/small/segmenter/ssr"
    folder.mkdir(parents=True)
    weights = build(model)
    mean = predict(weights.eval(), noise(40, 96), config.prediction).mean((1, 2))
    # Or one class would win everywhere.
    weights.decode_head.conv_seg.bias.data -= torch.from_numpy(mean)
    model["backbone"]["clip"]["model"] = "clip_tok.json"
    names = ["background", *CLASSES]
    export(weights, model, names, folder / "model.safetensors", folder / "model.json")
    record(config, clone / "results/small")
    return clone / "results/small"


def noise(height: int, width: int) -> np.ndarray:
    """An image (height, width, 3) uint8."""
    coarse = np.random.default_rng(0).integers(
        0, 256, (-(-height // 8), -(-width // 8), 3), np.uint8
    )
    return coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
