"""Backbones that can't be used, or not together, are refused when the configuration is read."""

from typing import Any

import pytest

from ssr.config.settings import parse_config
from ssr.errors import InputError

B_16 = {"model": "ViT-B-16", "weights": "openai"}
S_16 = {"model": "vit_small_patch16_224", "weights": "dino"}
LARGE = {"segmenter": {"crop_size": 224}, "images": {"patch": 16}}


def values(clip: dict[str, Any] = B_16, dino: dict[str, Any] = S_16, **rest: Any) -> dict[str, Any]:
    return LARGE | {"backbones": {"clip": clip, "dino": dino}} | rest


def findings(given: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse_config(given)
    return str(caught.value)


@pytest.mark.parametrize(
    ("clip", "patch", "crop"),
    [("ViT-B-16", 16, 224), ("ViT-B-32", 32, 224), ("ViT-L-14-336", 14, 336)],
)
@pytest.mark.parametrize(
    "dino",
    [
        "vit_small_patch16_224",
        "vit_base_patch8_224",
        "vit_small_patch14_reg4_dinov2",
        "vit_small_patch16_dinov3",
    ],
)
def test_any_pair_of_vision_transformers(clip: str, patch: int, crop: int, dino: str) -> None:
    pair = values({"model": clip, "weights": "random"}, {"model": dino, "weights": "random"})
    parse_config(pair | {"images": {"patch": patch}, "segmenter": {"crop_size": crop}})


@pytest.mark.parametrize(
    "weights", ["openai", "laion2b_s34b_b88k", "random", "train", "my/clip.pt"]
)
def test_sources_of_weights(weights: str) -> None:
    parse_config(values(B_16 | {"weights": weights}))


def test_both_backbones_are_judged_at_once() -> None:
    said = findings(values({"model": "RN50", "weights": "openai"}, S_16 | {"weights": "dno"}))
    assert "  backbones.clip: CLIP model RN50 can't be used: a ResNet" in said
    assert "  backbones.dino: weights 'dno' of vit_small_patch16_224" in said


def test_a_checksum_needs_a_file() -> None:
    checksum = {"sha256": "0" * 64}
    parse_config(values(B_16 | {"weights": "clip.pt"} | checksum))
    assert "backbones.clip: sha256 is checked for local files only; weights: openai" in findings(
        values(B_16 | checksum)
    )


def test_what_depends_on_the_backbones_is_judged_at_once() -> None:
    said = findings(
        values(
            images={"patch": 14},
            features={"clip_attention_blocks": 13, "dino_attention_blocks": 14},
            segmenter={"crop_size": 100, "blocks": [3, 12]},
        )
    )
    assert "images.patch: CLIP's is 16; came 14" in said
    assert "\n  features.clip_attention_blocks: CLIP has 12; came 13" in said
    assert "\n  features.dino_attention_blocks: DINO has 12; came 14" in said
    assert "\n  segmenter.crop_size: a multiple of CLIP's patch 16; came 100" in said
    assert "\n  segmenter.blocks: CLIP has 0 to 11; came 12" in said


def test_the_crops_of_another_segmenter_are_its_own() -> None:
    parse_config(values(segmenter={"crop_size": 100, "config": "mmseg::some.py"}))
    parse_config(values(segmenter={"crop_size": 100}, segmenter_methods=[]))
