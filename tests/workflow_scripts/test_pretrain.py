"""Both stand-ins from a folder of images: exported, loadable, and the same after a kill."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ssr.backbones.networks import load_clip, load_dino, load_tokenizer
from ssr.backbones.text import encode_text
from ssr.config import Backbone, Pretraining, Text
from ssr.running.event_files import is_event_file
from tests.backbone_models import tiny_clip, tiny_dino

SHORT = Pretraining(
    side=40, view=32, batch_size=4, segments=5, clip_steps=4, dino_steps=4, checkpoint_every=1
)
TEXT = Text(templates=("a photo of {}.",), prompts={"cat": "house cat"}, backgrounds=("backdrop",))
CLASSES = ("cat", "dog")


@pytest.fixture
def pretrain(shard_folder, run_program):
    """`pretrain(name, out)` on the folder's two train images; returns the weights' path."""

    def pretrain(name: str, out: str) -> Path:
        model = (tiny_clip if name == "clip" else tiny_dino)(shard_folder).model
        output = shard_folder / out / f"{name}.safetensors"
        words = ["--classes", *CLASSES, "--text", TEXT.canonical()] if name == "clip" else []
        run_program(
            f"pretrain_{name}",
            *["--index", shard_folder / "index.parquet", "--root", shard_folder, *words],
            *["--model", model, "--pretraining", SHORT.canonical(), "--seed", 0],
            *["--work", output.parent / "work", "--output", output],
        )
        return output

    return pretrain


def test_a_trained_clip_knows_every_prompt_of_the_pipeline(pretrain):
    output = pretrain("clip", "out")
    assert output.with_suffix(".csv").read_text().startswith("step,loss,contrast")
    left = [path for path in output.parent.rglob("work/*/*") if not is_event_file(path)]
    assert not left, "photographs and checkpoints are cleared"
    settings = Backbone(model=str(output.with_suffix(".json")), weights=str(output))
    texts = encode_text(load_clip(settings, "cpu"), load_tokenizer(settings), TEXT, CLASSES)
    assert texts.names.tolist() == ["cat", "dog", "backdrop"]
    assert not load_file(output)["visual.transformer.resblocks.2.mlp.c_proj.weight"].any()


def test_a_trained_dino_is_loaded_from_its_own_description(pretrain):
    output = pretrain("dino", "out")
    settings = Backbone(model=str(output.with_suffix(".json")), weights=str(output))
    dino = load_dino(settings, "cpu")
    fresh = load_dino(settings.model_copy(update={"weights": "random"}), "cpu")
    assert not torch.equal(dino.blocks[0].attn.qkv.weight, fresh.blocks[0].attn.qkv.weight)


@pytest.mark.parametrize("name", ["clip", "dino"])
def test_a_killed_pretraining_ends_with_the_same_weights(name, pretrain, monkeypatch):
    from ssr.pretraining.loop import Trainer

    through = load_file(pretrain(name, "through"))
    advance = Trainer._advance

    def killed(trainer, losses):
        if trainer.step == 2:
            raise KeyboardInterrupt
        return advance(trainer, losses)

    monkeypatch.setattr(Trainer, "_advance", killed)
    with pytest.raises(SystemExit, match="130"):
        pretrain(name, "killed")
    steps = []

    def counted(trainer, losses):
        steps.append(trainer.step)
        return advance(trainer, losses)

    monkeypatch.setattr(Trainer, "_advance", counted)
    resumed = load_file(pretrain(name, "killed"))
    assert steps == [2, 3]
    assert all(torch.equal(through[key], resumed[key]) for key in through)
