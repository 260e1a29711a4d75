"""A segmenter as a config and a checkpoint that mmsegmentation opens by its own functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from ssr.artefacts.files import replacing
from ssr.artefacts.tensors import write_tensors
from ssr.backbones.networks import described_clip, load_clip
from ssr.config import Backbone
from ssr.data.pngs import voc_palette
from ssr.export.places import require_free
from ssr.predict.segmenter import TrainedSegmenter
from ssr.segmenter.clip_backbone import FrozenCLIP
from ssr.segmenter.mmseg_import import EncoderDecoder

CONFIG, CHECKPOINT = "config.py", "checkpoint.pth"
_CLIP = ("clip.json", "clip.safetensors")
# mmengine puts the folder of the config in its place.
_HERE = "{{ fileDirname }}"


def write_mmsegmentation(segmenter: TrainedSegmenter, folder: Path) -> list[Path]:
    """Write config.py and checkpoint.pth, and frozen CLIP beside them; the files that were written.

    The folder can be moved. The config imports `ssr`, which registers the parts that mmsegmentation
    lacks.

    Raises:
        InputError: the folder is there and not empty, or a file of the segmenter can't be read.
    """
    require_free(folder, "--mmsegmentation")
    model, config = segmenter.model, segmenter.description["model"]
    files = [CONFIG, CHECKPOINT]
    if isinstance(model.backbone, FrozenCLIP):
        _write_clip(Backbone(**config["backbone"]["clip"]), folder)
        named = [f"{_HERE}/{name}" for name in _CLIP]
        config["backbone"]["clip"] = dict(zip(("model", "weights"), named, strict=True))
        files += _CLIP
    with replacing(folder / CHECKPOINT) as temporary:
        torch.save(_checkpoint(model, segmenter.classes), temporary)
    with replacing(folder / CONFIG) as temporary:
        temporary.write_text(_config(config, segmenter.multiple).pretty_text)
    return [folder / name for name in files]


def _write_clip(settings: Backbone, folder: Path) -> None:
    """CLIP whole, text encoder included, as `ssr.backbones.networks.load_clip` reads it."""
    with replacing(folder / _CLIP[0]) as temporary:
        temporary.write_text(json.dumps(described_clip(settings), indent=1) + "\n")
    write_tensors(folder / _CLIP[1], load_clip(settings, "cpu").state_dict())


def _checkpoint(model: EncoderDecoder, classes: tuple[str, ...]) -> dict[str, Any]:
    palette = voc_palette()[: len(classes)].tolist()
    return {
        "state_dict": model.state_dict(),
        "meta": {"dataset_meta": {"classes": classes, "palette": palette}},
    }


def _config(model: dict[str, Any], multiple: int) -> Config:
    pipeline = [
        {"type": "LoadImageFromFile"},
        {"type": "ResizeToMultiple", "size_divisor": multiple, "interpolation": "bicubic"},
        {"type": "PackSegInputs"},
    ]
    return Config(
        {
            "custom_imports": {"imports": ["ssr.segmenter.model"], "allow_failed_imports": False},
            "default_scope": "mmseg",
            "model": model,
            "test_pipeline": pipeline,
            # What MMSegInferencer asks for.
            "test_dataloader": {"dataset": {"pipeline": pipeline}},
            "visualizer": {"type": "SegLocalVisualizer"},
        }
    )
