"""fetch_weights: what was fetched stands in the marker, and nothing does where that failed."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import save_file

from ssr.backbones.networks import load_dino
from ssr.config import Backbone
from tests.hub import point_at, serve

Run = Callable[..., None]
DINO = Backbone(model="vit_tiny_patch16_224", weights="augreg_in21k_ft_in1k")
FLAGS = ("--network", "dino", "--backbone", DINO.canonical())
REPOSITORY = "timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k"


def test_the_marker_tells_what_was_fetched(
    tmp_path: Path, run_program: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = tmp_path / "hub" / REPOSITORY / "model.safetensors"
    served.parent.mkdir(parents=True)
    random = load_dino(DINO.model_copy(update={"weights": "random"}), "cpu")
    save_file({name: value.half() for name, value in random.state_dict().items()}, served)
    marker = tmp_path / "weights" / "dino.json"
    with serve(tmp_path / "hub") as (address, _):
        point_at(monkeypatch, address, tmp_path / "cache")
        run_program("fetch_weights", *FLAGS, "--output", marker)
    assert json.loads(marker.read_text()) == {
        "model": "vit_tiny_patch16_224",
        "tag": "augreg_in21k_ft_in1k",
        "repository": REPOSITORY,
        "file": "model.safetensors",
        "bytes": served.stat().st_size,
        "sha256": hashlib.sha256(served.read_bytes()).hexdigest(),
    }
    load_dino(DINO, "cpu")  # from the cache: the hub is gone


def test_without_the_file_at_the_hub_there_is_no_marker(
    tmp_path: Path, run_program: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "dino.json"
    with serve(tmp_path / "hub") as (address, _):
        point_at(monkeypatch, address, tmp_path / "cache")
        with pytest.raises(SystemExit, match=rf"error: .* not be fetched from {REPOSITORY}"):
            run_program("fetch_weights", *FLAGS, "--output", marker)
    assert not marker.exists()
