"""The shipped files are what the recipes describe, and small enough for a repository."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ssr.backbones.networks import load_clip, load_dino, load_tokenizer
from ssr.config import Backbone
from ssr.demo.vocabulary import CLASSES, STUFF
from ssr.pretraining.captions import Speaker, occurring_tokens
from ssr.pretraining.clip import Vocabulary, build_clip, silence_last_mlp
from ssr.pretraining.recipes import ClipRecipe
from tests import ROOT
from tests.backbone_models import tiny_clip

BACKBONES = ROOT / "backbones"


@pytest.mark.parametrize("name", ["demo", "standin"])
def test_model_files_describe_models_of_one_shape(name: str) -> None:
    clip = load_clip(Backbone(model=str(BACKBONES / f"{name}_clip.json"), weights="random"), "cpu")
    dino = load_dino(Backbone(model=str(BACKBONES / f"{name}_dino.json"), weights="random"), "cpu")
    assert clip.visual.grid_size == dino.patch_embed.grid_size
    assert len(clip.visual.transformer.resblocks) == len(dino.blocks)


def test_both_files_together_stay_below_ten_megabytes() -> None:
    assert sum(file.stat().st_size for file in BACKBONES.glob("demo_*")) < 10e6


def test_the_compact_vocabulary_is_that_of_the_captions() -> None:
    weights = load_file(BACKBONES / "demo_clip.safetensors")
    identifiers = weights["token_embedding.ids"].tolist()
    tokenizer = load_tokenizer(Backbone(model=str(BACKBONES / "demo_clip.json"), weights="random"))
    assert identifiers == occurring_tokens(tokenizer, Speaker(CLASSES, STUFF).sentences)
    assert len(weights["token_embedding.weight"]) == len(identifiers)


def test_weights_are_finite_half_precision() -> None:
    for name in ("clip", "dino"):
        for key, value in load_file(BACKBONES / f"demo_{name}.safetensors").items():
            if key != "token_embedding.ids":
                assert value.dtype == torch.float16
                assert value.isfinite().all()


def test_grad_cam_meets_no_mlp_in_the_last_block(tmp_path: Path) -> None:
    weights = load_file(BACKBONES / "demo_clip.safetensors")
    assert not weights["visual.transformer.resblocks.5.mlp.c_proj.weight"].any()
    settings = tiny_clip(tmp_path)
    vocabulary = Vocabulary(load_tokenizer(settings), ["a bus"])
    model = build_clip(settings.model, vocabulary, ClipRecipe())
    silence_last_mlp(model)
    first, *_, last = (block.mlp.c_proj.weight for block in model.visual.transformer.resblocks)
    assert first.any()
    assert not last.any()
