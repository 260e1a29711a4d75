"""What settings name is told, and refused, without importing torch or a model library."""

import json
import subprocess
import sys
from pathlib import Path

import open_clip
import pytest
import timm
import torch

from ssr.config.architectures import (
    PLAIN_TRANSFORMERS,
    Architecture,
    _timm_names,
    check_tag,
    clip_architecture,
    dino_architecture,
    names_file,
    names_tag,
)
from ssr.errors import InputError
from tests.backbone_models import tiny_clip, tiny_dino


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        ("backbones/clip", "file"),
        ("clip.safetensors", "file"),
        ("clip.pth", "file"),
        ("openai", "tag"),
        ("laion2b_s34b_b88k", "tag"),
        ("random", None),
        ("train", None),
    ],
)
def test_file_or_tag(weights: str, kind: str | None) -> None:
    assert (names_file(weights), names_tag(weights)) == (kind == "file", kind == "tag")


@pytest.mark.parametrize(
    ("model", "patch", "depth"),
    [("ViT-B-16", 16, 12), ("ViT-B-32", 32, 12), ("ViT-L-14-336-quickgelu", 14, 24)],
)
def test_clip_names(model: str, patch: int, depth: int) -> None:
    assert clip_architecture(model) == Architecture(patch, depth)


@pytest.mark.parametrize(
    ("model", "patch", "depth"),
    [
        ("vit_small_patch16_224", 16, 12),
        ("vit_base_patch8_224", 8, 12),
        ("vit_large_patch14_reg4_dinov2", 14, 24),
        ("vit_small_patch16_dinov3", 16, 12),
    ],
)
def test_dino_names(model: str, patch: int, depth: int) -> None:
    assert dino_architecture(model) == Architecture(patch, depth)


def test_json_files(tmp_path: Path) -> None:
    assert clip_architecture(tiny_clip(tmp_path).model) == Architecture(8, 3)
    assert dino_architecture(tiny_dino(tmp_path).model) == Architecture(8, 3)
    architecture_only = tmp_path / "plain.json"
    architecture_only.write_text('{"architecture": "vit_small_patch16_224"}')
    assert dino_architecture(str(architecture_only)) == Architecture(16, 12)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("RN50", "a ResNet has no patch tokens"),
        ("convnext_base", "image tower is timm's convnext_base"),
        ("ViT-B-16-SigLIP", r"SigLIP pools .* tokenizer needs another package"),
        ("coca_ViT-B-32", "CoCa compares texts with an attention pool"),
        ("ViT-L-14-CLIPA", "tokenizer comes from the package transformers"),
        ("xlm-roberta-base-ViT-B-32", "text tower or tokenizer comes from"),
        ("ViT-B-61", "'ViT-B-61' is unknown.*ViT-B-16"),
        ("../model_configs/RN50", "is unknown"),
    ],
)
def test_clips_without_patches_among_the_texts_are_refused(model: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        clip_architecture(model)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("swin_tiny_patch4_window7_224", "plain vision transformer.*its swin_transformer"),
        ("convnext_tiny", "one of its convnext"),
        ("vit_small_r26_s32_224", "one of its vision_transformer_hybrid"),
        ("vit_base_patch16_xp_224", "blocks are not the standard ones"),
        ("vit_dwee_patch16_reg1_gap_256", "blocks are not the standard ones"),
        ("vit_small_patch16_224.dino", "write model: vit_small_patch16_224, weights: dino"),
        ("vit_smal_patch16_224", "'vit_smal_patch16_224' is unknown.*vit_small_patch16_224"),
    ],
)
def test_dinos_without_one_attention_per_block_are_refused(model: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        dino_architecture(model)


@pytest.mark.parametrize("option", ["attentional_pool", "qk_norm"])
def test_clip_files_with_other_towers_are_refused(tmp_path: Path, option: str) -> None:
    path = Path(tiny_clip(tmp_path).model)
    content = json.loads(path.read_text())
    content["vision_cfg"][option] = True
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"vision_cfg.{option} is not supported"):
        clip_architecture(str(path))


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_broken_json_names_the_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"model\.json"):
        clip_architecture(str(path))
    with pytest.raises(InputError, match=r"no file gone\.json"):
        dino_architecture("gone.json")


def test_dino_files_have_known_keys(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text('{"architecture": "vit_small_patch16_224", "options": {}}')
    with pytest.raises(InputError, match="unknown key options; allowed: architecture"):
        dino_architecture(str(path))


@pytest.mark.parametrize(
    ("kind", "model", "tag", "tags"),
    [
        ("clip", "ViT-B-16", "opnai", "openai"),
        ("clip", "clip.json", "openai", "none"),
        ("dino", "vit_small_patch16_224", "dno", "dino"),
        ("dino", "vit_small_patch14_dinov2", "dino", "lvd142m"),
    ],
)
def test_unknown_tags_are_refused(kind: str, model: str, tag: str, tags: str) -> None:
    with pytest.raises(InputError, match=rf"weights '{tag}' of {model}: .*; tags: {tags}"):
        check_tag(kind, model, tag)


def test_tags_are_those_of_open_clip() -> None:
    for model, tag in open_clip.list_pretrained():
        check_tag("clip", model, tag)
    with pytest.raises(InputError):
        check_tag("clip", "ViT-B-16-quickgelu", "laion2b_s34b_b88k")  # trained without it


def test_tags_are_those_of_timm() -> None:
    plain = {name for module in PLAIN_TRANSFORMERS for name in _timm_names(module)}
    for name, _, tag in (full.partition(".") for full in timm.list_pretrained("*dino*")):
        if name in plain:
            check_tag("dino", name, tag)


@pytest.mark.slow
@pytest.mark.parametrize("module", PLAIN_TRANSFORMERS)
def test_every_architecture_is_told_as_timm_builds_it(module: str) -> None:
    for name in sorted(_timm_names(module)):
        if not {"tiny", "small"} & set(name.split("_")):
            continue  # the larger ones take long to build
        try:
            told = dino_architecture(name)
        except InputError:
            continue
        with torch.device("meta"):
            built = timm.create_model(name, num_classes=0)
        assert told == (built.patch_embed.patch_size[0], len(built.blocks)), name


def test_settings_can_be_checked_without_torch() -> None:
    program = (
        "import sys; from ssr.config import Config; "
        "Config.model_validate({'backbones': {'clip': {'model': 'ViT-B-16', 'weights': 'openai'}, "
        "'dino': {'model': 'vit_small_patch16_224', 'weights': 'dino'}}, 'images': {'patch': 16}});"
        "print({'torch', 'timm', 'open_clip'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "set()\n"
