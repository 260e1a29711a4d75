"""Backbones: one way to load them, whatever the source of model and weights."""

import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import timm
import torch
from open_clip.model import CLIP
from safetensors.torch import save_file

from ssr.backbones import load_clip, load_dino, load_tokenizer
from ssr.config import Backbone
from ssr.errors import InputError
from tests.backbone_models import DINO_MODEL, tiny_clip, tiny_dino

DEMO = Path(__file__).parent.parent / "backbones"


def state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return model.state_dict()


def equal(left: torch.nn.Module, right: torch.nn.Module) -> bool:
    a, b = state(left), state(right)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def assert_frozen(model: torch.nn.Module) -> None:
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_random_weights_are_seeded_and_leave_the_generator_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = load_clip(tiny_clip(tmp_path), "cpu"), load_clip(tiny_clip(tmp_path), "cpu")
    dinos = load_dino(tiny_dino(tmp_path), "cpu"), load_dino(tiny_dino(tmp_path), "cpu")
    assert torch.equal(torch.rand(1), expected)
    assert equal(first, second)
    assert equal(*dinos)
    assert_frozen(first)
    assert_frozen(dinos[0])


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_weights_from_a_file(tmp_path: Path, suffix: str) -> None:
    original = load_clip(tiny_clip(tmp_path), "cpu")
    weights = {name: torch.randn_like(value) for name, value in state(original).items()}
    path = tmp_path / f"weights.{suffix}"
    save_file(weights, path) if suffix == "safetensors" else torch.save(weights, path)
    loaded = load_clip(tiny_clip(tmp_path, str(path)), "cpu")
    assert all(torch.equal(state(loaded)[name], value) for name, value in weights.items())
    assert_frozen(loaded)


def test_compact_token_embedding(tmp_path: Path) -> None:
    weights = dict(state(load_clip(tiny_clip(tmp_path), "cpu")))
    ids = torch.tensor([49407, 320, 49406])
    full = weights["token_embedding.weight"]
    compact = {"token_embedding.weight": full[ids].half(), "token_embedding.ids": ids}
    save_file(weights | compact, tmp_path / "compact.safetensors")
    loaded = load_clip(tiny_clip(tmp_path, str(tmp_path / "compact.safetensors")), "cpu")
    embedding = loaded.token_embedding.weight
    assert torch.equal(embedding[ids], full[ids].half().float())
    assert int((embedding != 0).any(1).sum()) == 3


def test_dino_weights_from_a_file_with_another_depth_are_refused(tmp_path: Path) -> None:
    deeper = timm.create_model(
        "vit_small_patch16_224", num_classes=0, **DINO_MODEL["model_args"] | {"depth": 4}
    )
    path = tmp_path / "dino.pth"
    torch.save(deeper.state_dict(), path)
    with pytest.raises(InputError, match=r"dino\.pth don't fit .*unexpected: blocks\.3\.norm1"):
        load_dino(tiny_dino(tmp_path, str(path)), "cpu")
    assert_frozen(load_dino(tiny_dino(tmp_path, str(path), depth=4), "cpu"))


def test_clip_position_grid_of_another_size_is_refused(tmp_path: Path) -> None:
    weights = dict(state(load_clip(tiny_clip(tmp_path), "cpu")))
    weights["visual.positional_embedding"] = torch.zeros(26, 32)
    save_file(weights, tmp_path / "w.safetensors")
    settings = tiny_clip(tmp_path, str(tmp_path / "w.safetensors"))
    with pytest.raises(InputError, match=r"visual\.positional_embedding wanted 17x32 came 26x32"):
        load_clip(settings, "cpu")


@pytest.mark.parametrize(
    ("load", "model", "weights", "message"),
    [
        (load_clip, "ViT-B-61", "random", "CLIP model 'ViT-B-61' is unknown.*ViT-B-16"),
        (load_dino, "vit_smal_patch16_224", "random", "DINO model .* unknown.*vit_small_patch16"),
        (load_clip, "ViT-B-16", "opnai", "'opnai' of ViT-B-16: allowed are .*tags: .*openai"),
        (load_dino, "vit_small_patch16_224", "dio", "'dio' of .*: allowed are .*tags: .*dino"),
        (load_clip, "gone.json", "random", r"no file gone\.json"),
        (load_dino, "resnet18", "random", "resnet18 can't be built"),
        (load_dino, "eva02_tiny_patch14_224", "random", "need timm's VisionTransformer"),
    ],
)
def test_wrong_settings(load: object, model: str, weights: str, message: str) -> None:
    assert callable(load)
    with pytest.raises(InputError, match=message):
        load(Backbone(model=model, weights=weights), "cpu")


def test_missing_weights_file(tmp_path: Path) -> None:
    for load, settings in ((load_clip, tiny_clip), (load_dino, tiny_dino)):
        with pytest.raises(InputError, match=r"weights: no file gone/clip\.pt"):
            load(settings(tmp_path, "gone/clip.pt"), "cpu")


def test_a_checksum_needs_a_file(tmp_path: Path) -> None:
    settings = tiny_clip(tmp_path).model_copy(update={"sha256": "0" * 64})
    with pytest.raises(InputError, match="local files only"):
        load_clip(settings, "cpu")


def test_tags_are_fetched_by_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def refuse(name: str, **options: Any) -> None:
        asked.append((name, options))
        raise OSError("no network")

    monkeypatch.setattr(open_clip, "create_model", refuse)
    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(InputError, match=r"weights openai of ViT-B-16 could not .*no network"):
        load_clip(Backbone(model="ViT-B-16", weights="openai"), "cpu")
    with pytest.raises(InputError, match=r"weights dino of vit_small.* could not .*no network"):
        load_dino(Backbone(model="vit_small_patch16_224", weights="dino"), "cpu")
    (clip, clip_options), (dino, dino_options) = asked
    assert clip == "ViT-B-16"
    assert clip_options == {"pretrained": "openai", "force_quick_gelu": True}
    assert dino == "vit_small_patch16_224.dino"
    assert dino_options["pretrained"] is True


def test_unknown_model_options_are_refused(tmp_path: Path) -> None:
    settings = tiny_dino(tmp_path, head_count=3)
    with pytest.raises(InputError, match="head_count"):
        load_dino(settings, "cpu")
    path = tmp_path / "model.json"
    path.write_text(json.dumps(DINO_MODEL | {"options": {}}))
    with pytest.raises(InputError, match="unknown key options; allowed: architecture"):
        load_dino(Backbone(model=str(path), weights="random"), "cpu")


def test_attention_pooling_is_refused(tmp_path: Path) -> None:
    settings = tiny_clip(tmp_path)
    config = json.loads(Path(settings.model).read_text())
    config["vision_cfg"]["attentional_pool"] = True
    Path(settings.model).write_text(json.dumps(config))
    with pytest.raises(InputError, match="without attention pooling"):
        load_clip(settings, "cpu")


def test_tokenizer_has_the_context_length_of_the_model(tmp_path: Path) -> None:
    assert load_tokenizer(tiny_clip(tmp_path))(["a cat", "a dog"]).shape == (2, 32)
    assert load_tokenizer(Backbone(model="ViT-B-16", weights="random"))(["a cat"]).shape == (1, 77)


@pytest.mark.skipif(
    not (DEMO / "demo_clip.safetensors").is_file(), reason="demo backbones are not made yet"
)
def test_demo_backbones_load_with_default_settings() -> None:
    from ssr.config import Backbones

    clip = load_clip(Backbones().clip, "cpu")
    dino = load_dino(Backbones().dino, "cpu")
    assert isinstance(clip, CLIP)
    assert clip.visual.patch_size[0] == dino.patch_embed.patch_size[0] == 8
    assert load_tokenizer(Backbones().clip)(["a boat"]).shape == (1, clip.context_length)
