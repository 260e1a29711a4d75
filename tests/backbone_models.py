"""Tiny CLIP and DINO models with random weights, on one patch grid, for tests."""

import json
from pathlib import Path

from ssr.config import Backbone
from ssr.config.architectures import clip_config

PATCH = 8
CLIP_MODEL = {
    "embed_dim": 24,
    "quick_gelu": True,
    "vision_cfg": {
        "image_size": 32,
        "layers": 3,
        "width": 32,
        "head_width": 16,
        "patch_size": PATCH,
    },
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
DINO_MODEL = {
    "architecture": "vit_small_patch16_224",
    "model_args": {
        "img_size": 32,
        "patch_size": PATCH,
        "embed_dim": 32,
        "depth": 3,
        "num_heads": 2,
    },
}


def tiny_clip(folder: Path, weights: str = "random", pool: str = "tok") -> Backbone:
    """Settings of a 3-block CLIP: width 32, 24 joint dimensions."""
    vision = CLIP_MODEL["vision_cfg"] | {"pool_type": pool}
    path = folder / f"clip_{pool}.json"
    path.write_text(json.dumps(CLIP_MODEL | {"vision_cfg": vision}))
    return Backbone(model=str(path), weights=weights)


def tiny_dino(folder: Path, weights: str = "random", **model_args: int | str) -> Backbone:
    """Settings of a 3-block DINO of width 32."""
    path = folder / "dino.json"
    options = DINO_MODEL["model_args"] | model_args
    path.write_text(json.dumps(DINO_MODEL | {"model_args": options}))
    return Backbone(model=str(path), weights=weights)


def thin_dino(folder: Path, architecture: str) -> Backbone:
    """Settings of an architecture of timm as it is, but with 2 blocks of width 48 and 3 heads."""
    path = folder / f"{architecture}.json"
    options = {"embed_dim": 48, "depth": 2, "num_heads": 3, "img_size": 112}
    path.write_text(json.dumps({"architecture": architecture, "model_args": options}))
    return Backbone(model=str(path), weights="random")


def thin_clip(folder: Path, name: str) -> Backbone:
    """Settings of a CLIP of open_clip as it is, but with 2 narrow blocks in each tower."""
    content = clip_config(name)
    content["vision_cfg"] |= {"layers": 2, "width": 64, "head_width": 32}
    content["text_cfg"] |= {"layers": 2, "width": 32, "heads": 2}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return Backbone(model=str(path), weights="random")
