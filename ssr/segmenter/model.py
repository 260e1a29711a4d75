"""Which model is trained: frozen CLIP with a light decoder, or any mmsegmentation config."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DefaultScope
from mmengine.runner import CheckpointLoader
from torch import nn

from ssr.alignment.heads import AlignmentHeads
from ssr.artefacts.files import replacing
from ssr.artefacts.seals import BLANK, seal
from ssr.artefacts.tensors import write_tensors
from ssr.backbones.text import TextEmbeddings
from ssr.backbones.weights import fit, read_weights
from ssr.config import MMSEG, Backbone, Segmenter
from ssr.data.images import IMAGENET_MEAN, IMAGENET_STD
from ssr.errors import InputError
from ssr.segmenter import clip_backbone, decode_head, deeplab_v2
from ssr.segmenter.description import read_description
from ssr.segmenter.mmseg_import import MODELS, TASK_UTILS, WEIGHT_INITIALIZERS

REGISTERED = (
    clip_backbone.FrozenCLIP,
    decode_head.TransformerFusionHead,
    deeplab_v2.DeepLabV2Head,
)
# Where a model and its parts are registered, and the packages that their names may begin with.
_OF_MMSEG = (MODELS, TASK_UTILS, WEIGHT_INITIALIZERS)
REGISTRIES = (*_OF_MMSEG, *(registry.parent for registry in _OF_MMSEG))
LIBRARIES = {"mmseg", "mmengine", "mmcv"}
ModelConfig = dict[str, Any]
LOSSES: dict[str, ModelConfig] = {
    "cross_entropy": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
    "foreground_background": {"type": "ForegroundBackgroundLoss"},
}
_log = logging.getLogger(__name__)


def model_config(
    settings: Segmenter,
    backbone: Backbone,
    classes: int,
    texts: int = 0,
    heads: AlignmentHeads | None = None,
) -> ModelConfig:
    """The mmsegmentation config of the model that `settings` ask for.

    Args:
        settings: its `config` names an mmsegmentation config, or is None for our own model.
        backbone: CLIP, for our own model.
        classes: with background.
        texts: how many CLIP compares patches with, where `settings.reads_text`.
        heads: of CMPA, through which it does so.
    """
    if settings.config is None:
        config = _clip_config(settings, backbone, classes, texts)
        if heads:
            config["decode_head"]["aligned"] = vars(heads.options)
        return config
    return _library_config(settings.config, settings.crop_size, classes)


def build(
    config: ModelConfig, texts: TextEmbeddings | None = None, heads: AlignmentHeads | None = None
) -> nn.Module:
    """Build a model, which has the `texts` if it reads any; batch normalisation is of one process.

    Without them they come with the weights that are loaded into it, and so do `heads` of CMPA. If
    given, these are part of the model.
    """
    with DefaultScope.overwrite_default_scope("mmseg"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="``build_loss``")  # mmsegmentation's own call
        model: nn.Module = MODELS.build(Config({"model": config}).model)
    if texts:
        patch_text = cast(decode_head.PatchText, model.get_submodule("decode_head.patch_text"))
        patch_text.fill(texts)
        if heads:
            patch_text.heads = heads
    return revert_sync_batchnorm(model)


def export(
    model: nn.Module, config: ModelConfig, classes: Sequence[str], path: Path, description: Path
) -> None:
    """Write what was trained to `path` (safetensors) and how to rebuild it to `description` (JSON).

    Frozen CLIP is not written: the JSON names its model and weights.
    """
    content = {"classes": list(classes), "model": without_pretrained(config), "seal": BLANK}
    with replacing(description) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
        seal(temporary)
    write_tensors(path, {name: value.cpu() for name, value in model.state_dict().items()})


def load(
    path: Path, description: Path, device: torch.device | str, home: Path = Path()
) -> nn.Module:
    """The model that `export` wrote, in evaluation mode.

    Args:
        path: its weights.
        description: how to rebuild it.
        device: where it is to compute.
        home: the folder in which it was trained, where the files of CLIP are.

    Raises:
        InputError: a file is missing or damaged, the description names anything but models, or the
            weights don't fit it.
    """
    config = read_description(description, home)["model"]
    check_types(config, description)
    model = build(config)
    fit(model, read_weights(path), path)
    return model.eval().to(device)


def check_types(config: Any, source: Path | str) -> None:
    """Refuse types that are not registered: mmengine would import any other by name and call it.

    Raises:
        InputError: names the first.
    """
    allowed = {name for registry in REGISTRIES for name in registry.module_dict}
    for name in _types(config):
        *path, last = str(name).split(".")
        if last not in allowed or not set(path[:1]) <= LIBRARIES:
            raise InputError(
                f"{source}: a type is a registered part of mmsegmentation's models, came {name!r}; "
                "nothing else is built"
            )


def _types(node: Any) -> Iterator[Any]:
    """Every type that a config asks for, however deep."""
    if isinstance(node, dict) and "type" in node:
        yield node["type"]
    if isinstance(node, dict | list | tuple):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _types(part)


def without_pretrained(node: Any, keep_reachable: bool = False) -> Any:
    """A config without references to pretrained weights, or only without those out of reach."""
    if isinstance(node, list | tuple):
        return [without_pretrained(part, keep_reachable) for part in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: value
        for key, value in node.items()
        if (source := _pretrained(key, value)) is None or (keep_reachable and _reachable(source))
    }
    return {key: without_pretrained(value, keep_reachable) for key, value in kept.items()}


def _pretrained(key: str, value: Any) -> str | None:
    """The weights that an entry of a config refers to."""
    if key == "pretrained" and isinstance(value, str):
        return value
    if key == "init_cfg" and isinstance(value, dict) and value.get("type") == "Pretrained":
        return str(value["checkpoint"])
    return None


def _reachable(source: str) -> bool:
    try:
        CheckpointLoader.load_checkpoint(source, "cpu")
    except Exception as error:  # network, hub, disk and pickle errors share no narrower base
        _log.warning("pretrained weights %s are left out: %s", source, error)
        return False
    return True


def _clip_config(settings: Segmenter, backbone: Backbone, classes: int, texts: int) -> ModelConfig:
    encoder = {
        "type": "FrozenCLIP",
        "clip": backbone.model_dump(),
        "blocks": settings.blocks,
        "joint_space": settings.text,
    }
    built = MODELS.build(encoder)
    if settings.text and texts < classes:
        raise InputError(
            f"segmenter.text: needs a text of each of {classes - 1} classes and of a background; "
            f"came {texts}"
        )
    if settings.crop_size % built.patch:
        raise InputError(
            f"segmenter.crop_size: must be a multiple of CLIP's patch {built.patch}; "
            f"came {settings.crop_size}"
        )
    return {
        "type": "EncoderDecoder",
        "data_preprocessor": _preprocessor(built.mean, built.deviation, settings.crop_size),
        "backbone": encoder | {"blocks": list(built.blocks)},
        "decode_head": {
            "type": "TransformerFusionHead",
            "in_channels": [built.width] * len(built.blocks) + [classes] * settings.text,
            "channels": settings.width,
            "layers": settings.layers,
            "heads": settings.heads,
            "texts": (texts, built.joint_width) if settings.text else None,
            "dropout_ratio": settings.dropout,
            "num_classes": classes,
            "out_channels": classes,
            "loss_decode": LOSSES[settings.loss],
        },
        "test_cfg": {"mode": "whole"},
    }


def _preprocessor(mean: Sequence[float], std: Sequence[float], crop: int) -> dict[str, Any]:
    return {
        "type": "SegDataPreProcessor",
        "mean": [255 * value for value in mean],
        "std": [255 * value for value in std],
        "bgr_to_rgb": True,
        "size": [crop, crop],
        "pad_val": 0,
        "seg_pad_val": 255,
    }


def _library_config(path: str, crop: int, classes: int) -> ModelConfig:
    """The model of an mmsegmentation config with our classes, crops and one-process settings."""
    model = _read(path)
    if "decode_head" not in model:
        raise InputError(f"segmenter.config {path}: wanted an encoder-decoder, came {list(model)}")
    for head in _heads(model):
        head["num_classes"] = classes
        head.pop("out_channels", None)
        for loss in _losses(head):
            if loss.pop("class_weight", None):
                _log.warning("%s: class_weight is left out, it was for other classes", path)
    normalisation = model.get("data_preprocessor") or _preprocessor(IMAGENET_MEAN, IMAGENET_STD, 0)
    model["data_preprocessor"] = normalisation | {"size": [crop, crop], "seg_pad_val": 255}
    for option in ("size_divisor", "test_cfg"):
        model["data_preprocessor"].pop(option, None)
    model["test_cfg"] = {"mode": "whole"}
    check_types(model, f"segmenter.config {path}")
    return without_pretrained(model, keep_reachable=True)


def _read(path: str) -> ModelConfig:
    try:
        config = get_config(path) if path.startswith(MMSEG) else Config.fromfile(path)
        content: ModelConfig = config.to_dict()["model"]
    except Exception as error:  # a config is a Python program, which can fail in any way
        raise InputError(
            f"segmenter.config: wanted an mmsegmentation config by path or as {MMSEG}…; "
            f"came {path} ({error!r})"
        ) from error
    return content


def _heads(model: ModelConfig) -> Iterator[dict[str, Any]]:
    for key in ("decode_head", "auxiliary_head"):
        yield from _as_list(model.get(key))


def _losses(head: dict[str, Any]) -> list[dict[str, Any]]:
    return _as_list(head.get("loss_decode"))


def _as_list(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    return [value] if isinstance(value, dict) else list(value)
