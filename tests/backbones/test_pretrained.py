"""Tags: found in the cache without a network, fetched from a hub, refused with what to do."""

import time
from collections.abc import Iterator
from pathlib import Path

import open_clip.pretrained
import pytest
import timm
import torch
from safetensors.torch import save_file

from ssr.backbones.networks import load_clip, load_dino, pixel_statistics
from ssr.backbones.pretrained import cached, clip_tag, dino_tag, fetch
from ssr.config import Backbone
from ssr.errors import InputError
from tests.backbone_models import tiny_clip
from tests.hub import point_at, serve

TINY = Backbone(model="vit_tiny_patch16_224", weights="augreg_in21k_ft_in1k")
REPOSITORY = "timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k"


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a hub serves; the cache is empty and the network ends at this machine."""
    point_at(monkeypatch, "http://127.0.0.1:9", tmp_path / "cache")
    return tmp_path / "served"


@pytest.fixture
def asked(hub_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is asked of a hub that serves `hub_folder`."""
    with serve(hub_folder) as (address, requests):
        point_at(monkeypatch, address, hub_folder.parent / "cache")
        yield requests


def tiny_weights() -> dict[str, torch.Tensor]:
    """A file of timm's as it is, with its classifier, of random numbers."""
    model = timm.create_model("vit_tiny_patch16_224")
    return {name: torch.randn_like(value).half() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_a_tag_of_timm_is_fetched_once_and_then_cached(
    hub_folder: Path, asked: list[str], file: str
) -> None:
    weights = tiny_weights()
    path = hub_folder / REPOSITORY / file
    path.parent.mkdir(parents=True)
    save_file(weights, path) if file.endswith("s") else torch.save(weights, path)
    fetched = fetch(dino_tag(TINY.model, TINY.weights))
    assert fetched.name == file
    assert fetched.read_bytes() == path.read_bytes()
    asked.clear()
    dino = load_dino(TINY, "cpu")
    assert cached(dino_tag(TINY.model, TINY.weights)) == fetched
    assert fetch(dino_tag(TINY.model, TINY.weights)) == fetched
    assert not asked
    assert torch.equal(dino.blocks[3].attn.qkv.weight, weights["blocks.3.attn.qkv.weight"].float())
    assert pixel_statistics(dino) == ((0.5,) * 3, (0.5,) * 3)  # what this tag was trained with


def test_a_tag_of_open_clip_knows_its_activation_and_statistics(
    tmp_path: Path, hub_folder: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tiny_clip(tmp_path)
    Path(plain.model).write_text(Path(plain.model).read_text().replace("true", "false"))
    settings = plain.model_copy(update={"weights": "quick"})
    tags = {"quick": open_clip.pretrained._slpcfg(hf_hub="owner/tiny/", quick_gelu=True)}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, settings.model, tags)
    original = load_clip(plain, "cpu").state_dict()
    (hub_folder / "owner/tiny").mkdir(parents=True)
    save_file(dict(original), hub_folder / "owner/tiny/open_clip_model.safetensors")
    fetch(clip_tag(settings.model, "quick"))
    clip = load_clip(settings, "cpu")
    assert all(torch.equal(value, original[name]) for name, value in clip.state_dict().items())
    assert isinstance(clip.visual.transformer.resblocks[0].mlp.gelu, open_clip.model.QuickGELU)
    assert pixel_statistics(clip) == ((0.5,) * 3, (0.5,) * 3)


@pytest.mark.parametrize(
    ("load", "model", "weights", "files"),
    [
        (load_clip, "ViT-B-16", "openai", r"open_clip_model\.safetensors .*clip_224\.openai"),
        (load_dino, "vit_small_patch16_224", "dino", r"model\.safetensors .*patch16_224\.dino"),
    ],
)
def test_without_a_network_an_empty_cache_is_told_at_once(
    hub_folder: Path, load: object, model: str, weights: str, files: str
) -> None:
    assert callable(load)
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        load(Backbone(model=model, weights=weights), "cpu")
    assert time.monotonic() - start < 1
    assert caught.match(rf"weights {weights} of {model}: {files} is not in the cache")
    assert caught.match(f"{hub_folder.parent}/cache; .*: snakemake --cores 1 --force fetch_weights")


def test_a_fetch_that_fails_says_why(hub_folder: Path, asked: list[str]) -> None:
    hub_folder.mkdir()
    with pytest.raises(InputError, match=rf"could not be fetched from {REPOSITORY} \(.*404"):
        fetch(dino_tag(TINY.model, TINY.weights))


def test_unknown_tags() -> None:
    with pytest.raises(InputError, match=r"'dno' of vit_small_patch16_224: .*tags: .*, dino"):
        dino_tag("vit_small_patch16_224", "dno")
    with pytest.raises(InputError, match=r"'opnai' of ViT-B-16: .*tags: openai"):
        clip_tag("ViT-B-16", "opnai")
