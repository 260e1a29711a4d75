"""Backbones: one way to load them, whatever the source of model and weights."""

import json
import warnings
from pathlib import Path

import pytest
import timm
import torch
from open_clip.model import CLIP
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

from ssr.backbones.networks import (
    Dino,
    check_weights,
    load_clip,
    load_dino,
    load_tokenizer,
    normalise_pixels,
)
from ssr.config import Backbone, Backbones
from ssr.data.images import IMAGENET_MEAN, IMAGENET_STD
from ssr.errors import InputError
from tests import ROOT
from tests.backbone_models import DINO_MODEL, thin_dino, tiny_clip, tiny_dino

DEMO = ROOT / "backbones"


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
        (load_clip, "ViT-B-16", "train", "train of ViT-B-16 is made by a rule"),
        (load_dino, "resnet18", "random", "resnet18 can't be used"),
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


def test_unknown_model_options_are_refused(tmp_path: Path) -> None:
    settings = tiny_dino(tmp_path, head_count=3)
    with pytest.raises(InputError, match="head_count"):
        load_dino(settings, "cpu")


def test_blocks_without_an_attention_of_their_own_are_refused(tmp_path: Path) -> None:
    settings = tiny_dino(tmp_path, attn_layer="diff")
    with pytest.raises(InputError, match="need blocks with one standard attention"):
        load_dino(settings, "cpu")


def openai_archive(clip: CLIP, path: Path) -> None:
    """A file as OpenAI's: a traced program in half precision, with numbers beside its weights."""
    clip.register_buffer("input_resolution", torch.tensor(32))
    clip.transformer.resblocks[0].attn_mask = torch.zeros(32, 32)
    clip.forward = clip.encode_image  # type: ignore[method-assign]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(clip, torch.zeros(1, 3, 32, 32), check_trace=False)
        torch.jit.save(traced.half(), path)


def test_the_archive_of_openai_is_read_without_its_program(tmp_path: Path) -> None:
    original = load_clip(tiny_clip(tmp_path), "cpu")
    expected = {name: value.half().float() for name, value in state(original).items()}
    openai_archive(original, tmp_path / "ViT.pt")
    loaded = load_clip(tiny_clip(tmp_path, str(tmp_path / "ViT.pt")), "cpu")
    assert state(loaded).keys() == expected.keys()
    assert all(torch.equal(state(loaded)[name], value) for name, value in expected.items())


def test_weights_of_openai_need_the_activation_of_openai(tmp_path: Path) -> None:
    settings = tiny_clip(tmp_path, str(tmp_path / "ViT.pt"))
    openai_archive(load_clip(tiny_clip(tmp_path), "cpu"), tmp_path / "ViT.pt")
    config = json.loads(Path(settings.model).read_text()) | {"quick_gelu": False}
    Path(settings.model).write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"ViT\.pt are OpenAI's: the model is .*-quickgelu"):
        load_clip(settings, "cpu")


def released(dino: Dino) -> dict[str, torch.Tensor]:
    """The weights of a DINOv2 or DINOv3 under the names of Meta's releases."""
    weights = {name: torch.randn_like(value) for name, value in state(dino).items()}
    registers = weights.pop("reg_token", None)
    if isinstance(dino, VisionTransformer):
        if registers is not None:
            position = torch.randn(1, 1, dino.embed_dim)
            weights |= {
                "register_tokens": registers,
                "cls_token": weights["cls_token"] - position,
                "pos_embed": torch.cat([position, weights["pos_embed"]], dim=1),
            }
    else:
        assert registers is not None
        weights = {
            name.replace("gamma_1", "ls1.gamma").replace("gamma_2", "ls2.gamma"): value
            for name, value in weights.items()
        }
        weights |= {"storage_tokens": registers, "rope_embed.periods": torch.ones(3)}
    return weights | {"mask_token": torch.zeros(1, dino.embed_dim)}


@pytest.mark.parametrize(
    "architecture",
    ["vit_small_patch14_dinov2", "vit_small_patch14_reg4_dinov2", "vit_small_patch16_dinov3"],
)
def test_files_of_the_releases_of_dino(tmp_path: Path, architecture: str) -> None:
    settings = thin_dino(tmp_path, architecture)
    weights = released(load_dino(settings, "cpu"))
    torch.save(weights, tmp_path / "release.pth")
    loaded = load_dino(settings.model_copy(update={"weights": f"{tmp_path}/release.pth"}), "cpu")
    own = state(loaded)
    assert torch.equal(own["blocks.1.attn.qkv.weight"], weights["blocks.1.attn.qkv.weight"])
    registers = weights.get("register_tokens", weights.get("storage_tokens"))
    if registers is not None:
        assert torch.equal(own["reg_token"], registers)
    weights["patch_embed.proj.weight"] = torch.zeros(48, 3, 8, 8)
    torch.save(weights, tmp_path / "release.pth")
    with pytest.raises(InputError, match=r"patch_embed\.proj\.weight wanted 48x3x1\dx1\d came"):
        load_dino(settings.model_copy(update={"weights": f"{tmp_path}/release.pth"}), "cpu")


def test_a_classifier_is_left_out(tmp_path: Path) -> None:
    weights = dict(state(load_dino(tiny_dino(tmp_path), "cpu")))
    torch.save(weights | {"head.weight": torch.zeros(9, 32)}, tmp_path / "supervised.pth")
    load_dino(tiny_dino(tmp_path, str(tmp_path / "supervised.pth")), "cpu")


def test_local_weights_are_checked_without_being_loaded(tmp_path: Path) -> None:
    clip, dino = tiny_clip(tmp_path), tiny_dino(tmp_path)
    save_file(dict(state(load_clip(clip, "cpu"))), tmp_path / "clip.safetensors")
    torch.save(load_dino(dino, "cpu").state_dict(), tmp_path / "dino.pth")
    right = Backbones(
        clip=tiny_clip(tmp_path, str(tmp_path / "clip.safetensors")),
        dino=tiny_dino(tmp_path, str(tmp_path / "dino.pth")),
    )
    assert check_weights(right) == []
    wrong = Backbones(
        clip=right.clip.model_copy(update={"sha256": "0" * 64}),
        dino=tiny_dino(tmp_path, str(tmp_path / "dino.pth"), depth=2),
    )
    of_clip, of_dino = check_weights(wrong)
    assert of_clip.startswith(f"backbones.clip: weights {tmp_path}/clip.safetensors: SHA-256")
    assert of_dino.startswith(f"backbones.dino: weights {tmp_path}/dino.pth don't fit the model")


def test_tokenizer_has_the_context_length_of_the_model(tmp_path: Path) -> None:
    assert load_tokenizer(tiny_clip(tmp_path))(["a cat", "a dog"]).shape == (2, 32)
    assert load_tokenizer(Backbone(model="ViT-B-16", weights="random"))(["a cat"]).shape == (1, 77)


@pytest.mark.skipif(
    not (DEMO / "demo_clip.safetensors").is_file(), reason="demo backbones are not made yet"
)
def test_demo_backbones_load_with_default_settings() -> None:
    clip = load_clip(Backbones().clip, "cpu")
    dino = load_dino(Backbones().dino, "cpu")
    assert isinstance(clip, CLIP)
    assert clip.visual.patch_size[0] == dino.patch_embed.patch_size[0] == 8
    assert load_tokenizer(Backbones().clip)(["a boat"]).shape == (1, clip.context_length)


def test_normalised_pixels_have_the_mean_and_deviation_taken_off() -> None:
    colours = torch.tensor([IMAGENET_MEAN, (1.0, 1.0, 1.0)])[:, :, None, None].expand(2, 3, 4, 5)
    mean, white = normalise_pixels(colours, IMAGENET_MEAN, IMAGENET_STD)
    torch.testing.assert_close(mean, torch.zeros(3, 4, 5))
    wanted = torch.tensor([(1 - m) / s for m, s in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)])
    torch.testing.assert_close(white, wanted[:, None, None].expand(3, 4, 5))
