"""check_backbones: wrong weights end in one report, before anything is computed with them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import save_file

from ssr.backbones.networks import load_clip, load_dino
from ssr.config import Backbone, Backbones
from tests.backbone_models import tiny_clip, tiny_dino

Run = Callable[..., None]


@pytest.fixture
def local(tmp_path: Path) -> Backbones:
    """Both backbones with weights in files."""
    clip, dino = tiny_clip(tmp_path), tiny_dino(tmp_path)
    for name, model in (("clip", load_clip(clip, "cpu")), ("dino", load_dino(dino, "cpu"))):
        tensors = {key: value.contiguous() for key, value in model.state_dict().items()}
        save_file(tensors, tmp_path / f"{name}.safetensors")
    return Backbones(clip=in_file(clip, tmp_path, "clip"), dino=in_file(dino, tmp_path, "dino"))


def in_file(backbone: Backbone, folder: Path, name: str, **changes: str) -> Backbone:
    weights = str(folder / f"{name}.safetensors")
    return backbone.model_copy(update={"weights": weights, **changes})


def check(run_program: Run, backbones: Backbones, output: Path) -> None:
    run_program("check_backbones", "--backbones", backbones.canonical(), "--output", output)


def test_weights_that_fit_pass(run_program: Run, local: Backbones, tmp_path: Path) -> None:
    check(run_program, local, tmp_path / "out.json")
    assert Backbones.model_validate_json((tmp_path / "out.json").read_text()) == local


def test_a_wrong_checksum_and_another_architecture_come_in_one_report(
    run_program: Run, local: Backbones, tmp_path: Path
) -> None:
    dino = in_file(tiny_dino(tmp_path, depth=2, embed_dim=64), tmp_path, "dino")
    clip = local.clip.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(SystemExit) as stopped:
        check(run_program, Backbones(clip=clip, dino=dino), tmp_path / "out.json")
    heading, of_clip, of_dino = str(stopped.value.code).splitlines()
    assert heading == "error: the weights cannot be used:"
    assert f"backbones.clip: weights {tmp_path}/clip.safetensors: SHA-256 should be 000" in of_clip
    assert f"backbones.dino: weights {tmp_path}/dino.safetensors don't fit the model" in of_dino
    assert "unexpected: blocks.2." in of_dino
    assert not (tmp_path / "out.json").exists()


def test_weights_cut_short_are_named(run_program: Run, local: Backbones, tmp_path: Path) -> None:
    path = Path(local.dino.weights)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(SystemExit, match=r"backbones\.dino: .*dino\.safetensors: not a complete"):
        check(run_program, local, tmp_path / "out.json")
