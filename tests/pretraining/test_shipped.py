"""The shipped files are what the recipes describe, and small enough for a repository."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from ssr.pretraining.captions import make_tokenizer, occurring_tokens
from ssr.pretraining.clip import ClipRecipe, build_clip, model_config, silence_last_mlp
from ssr.pretraining.dino import DinoRecipe, model_description

BACKBONES = Path(__file__).parents[2] / "backbones"


def test_model_files_describe_the_recipes() -> None:
    assert json.loads((BACKBONES / "demo_clip.json").read_text()) == model_config(ClipRecipe())
    assert json.loads((BACKBONES / "demo_dino.json").read_text()) == model_description(DinoRecipe())


def test_both_files_together_stay_below_ten_megabytes() -> None:
    assert sum(file.stat().st_size for file in BACKBONES.glob("demo_*")) < 10e6


def test_the_compact_vocabulary_is_that_of_the_captions() -> None:
    weights = load_file(BACKBONES / "demo_clip.safetensors")
    identifiers = weights["token_embedding.ids"].tolist()
    assert identifiers == occurring_tokens(make_tokenizer())
    assert len(weights["token_embedding.weight"]) == len(identifiers)


def test_weights_are_finite_half_precision() -> None:
    for name in ("clip", "dino"):
        for key, value in load_file(BACKBONES / f"demo_{name}.safetensors").items():
            if key != "token_embedding.ids":
                assert value.dtype == torch.float16
                assert value.isfinite().all()


def test_grad_cam_meets_no_mlp_in_the_last_block() -> None:
    weights = load_file(BACKBONES / "demo_clip.safetensors")
    assert not weights["visual.transformer.resblocks.5.mlp.c_proj.weight"].any()
    model = build_clip(ClipRecipe(width=32, layers=2), vocabulary=8)
    silence_last_mlp(model)
    first, last = (block.mlp.c_proj.weight for block in model.visual.transformer.resblocks)
    assert first.any()
    assert not last.any()
