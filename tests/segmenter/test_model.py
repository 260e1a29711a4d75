import json
import logging

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ssr.backbones.networks import load_clip
from ssr.backbones.text import TextEmbeddings
from ssr.errors import InputError
from ssr.segmenter.model import build, export, load, model_config, without_pretrained
from tests.segmenter.conftest import CLASSES

PIXELS = torch.randn(1, 3, 32, 40)


@pytest.fixture
def files(tmp_path):
    return tmp_path / "model.safetensors", tmp_path / "model.json"


def logits(model):
    with torch.no_grad():
        return model.eval()(PIXELS, mode="tensor")


def test_the_exported_decoder_rebuilds_the_same_model(settings, backbone, files):
    config = model_config(settings, backbone, len(CLASSES))
    model = build(config)
    export(model, config, CLASSES, *files)
    assert torch.equal(logits(load(*files, "cpu")), logits(model))
    assert json.loads(files[1].read_text())["classes"] == CLASSES


def test_clip_is_not_exported(settings, backbone, files):
    config = model_config(settings, backbone, len(CLASSES))
    export(build(config), config, CLASSES, *files)
    assert all(name.startswith("decode_head.") for name in load_file(files[0]))


def test_our_model_follows_its_settings(settings, backbone):
    config = model_config(settings.model_copy(update={"blocks": (1,)}), backbone, 3)
    assert config["backbone"]["blocks"] == [1]
    model = build(config)
    assert len(model.decode_head.projections) == 1
    assert len(model.decode_head.transformer) == settings.layers
    assert logits(model).shape == (1, 3, 4, 5)


def test_texts_are_exported_with_the_decoder(settings, backbone, files):
    settings = settings.model_copy(update={"text": True})
    width = load_clip(backbone, "cpu").visual.output_dim
    rows = np.random.default_rng(0).normal(size=(5, width)).astype(np.float32)
    texts = TextEmbeddings(rows[:2], rows[2:], np.array(list("abcde")), np.float32(10))
    config = model_config(settings, backbone, len(CLASSES), texts=5)
    model = build(config, texts)
    assert len(model.decode_head.projections) == 4  # three blocks, and what CLIP says
    export(model, config, CLASSES, *files)
    assert torch.equal(logits(load(*files, "cpu")), logits(model))


def test_texts_must_be_those_of_the_classes_and_of_a_background(settings, backbone):
    settings = settings.model_copy(update={"text": True})
    with pytest.raises(InputError, match="text of each of 2 classes and of a background; came 2"):
        model_config(settings, backbone, len(CLASSES), texts=2)


@pytest.mark.parametrize(
    ("loss", "share"), [("cross_entropy", 3 / 4), ("foreground_background", 1 / 2)]
)
def test_the_loss_follows_its_setting(settings, backbone, loss, share):
    """Three unsure background pixels, a sure pixel of an object, and one without a label."""
    head = build(model_config(settings.model_copy(update={"loss": loss}), backbone, 3)).decode_head
    logits = torch.zeros(1, 3, 1, 5)
    logits[0, 1, 0, 3] = 100.0
    got = head.loss_decode(logits, torch.tensor([[[0, 0, 0, 1, 255]]]), ignore_index=255)
    torch.testing.assert_close(got, torch.tensor(3.0).log() * share)


def test_crops_must_be_whole_patches(settings, backbone):
    with pytest.raises(InputError, match="must be a multiple of CLIP's patch 8; came 33"):
        model_config(settings.model_copy(update={"crop_size": 33}), backbone, 3)


def test_a_library_config_gets_our_classes_and_crops(settings, backbone, library_config, caplog):
    settings = settings.model_copy(update={"config": library_config})
    with caplog.at_level(logging.WARNING):
        config = model_config(settings, backbone, 3)
    heads = [config["decode_head"], *config["auxiliary_head"]]
    assert [head["num_classes"] for head in heads] == [3, 3]
    assert config["data_preprocessor"]["size"] == [32, 32]
    assert config["test_cfg"] == {"mode": "whole"}
    assert "class_weight is left out" in caplog.text
    model = build(config)
    assert logits(model).shape == (1, 3, 4, 5)
    assert not any(isinstance(part, torch.nn.SyncBatchNorm) for part in model.modules())


def test_unreachable_weights_are_left_out_with_a_warning(
    settings, backbone, library_config, caplog
):
    settings = settings.model_copy(update={"config": library_config})
    with caplog.at_level(logging.WARNING):
        config = model_config(settings, backbone, 3)
    assert "pretrained" not in config
    assert "init_cfg" not in config["backbone"]
    for name in ("nowhere/weights.pth", "nowhere/backbone.pth"):
        assert f"pretrained weights {name} are left out" in caplog.text


def test_reachable_weights_stay_for_training_and_go_for_export(tmp_path):
    torch.save({}, tmp_path / "weights.pth")
    entry = {"type": "Pretrained", "checkpoint": str(tmp_path / "weights.pth")}
    config = {"backbone": {"depth": 2, "init_cfg": entry}, "parts": [{"pretrained": None}]}
    assert without_pretrained(config, keep_reachable=True) == config
    stripped = {"backbone": {"depth": 2}, "parts": [{"pretrained": None}]}
    assert without_pretrained(config) == stripped


def test_a_library_model_is_exported_whole(settings, backbone, library_config, files):
    settings = settings.model_copy(update={"config": library_config})
    config = model_config(settings, backbone, 3)
    model = build(config)
    export(model, config, CLASSES, *files)
    assert any(name.startswith("backbone.") for name in load_file(files[0]))
    assert torch.equal(logits(load(*files, "cpu")), logits(model))


def test_the_configs_of_mmsegmentation_are_found_by_name(settings, backbone):
    name = "mmseg::fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py"
    config = model_config(settings.model_copy(update={"config": name}), backbone, 3)
    assert config["backbone"]["type"] == "FastSCNN"
    assert [head["num_classes"] for head in config["auxiliary_head"]] == [3, 3]


@pytest.mark.parametrize("content", [None, "def", "other = 1", "model = dict(type='X')"])
def test_a_wrong_config_is_refused(settings, backbone, tmp_path, content):
    path = tmp_path / "wrong.py"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=r"segmenter\.config.*wanted.*wrong\.py|wrong\.py.*wanted"):
        model_config(settings.model_copy(update={"config": str(path)}), backbone, 3)


def test_a_wrong_description_is_refused(files):
    files[1].write_text("{}")
    with pytest.raises(InputError, match=r"model\.json: wanted the description"):
        load(*files, "cpu")


def test_weights_of_another_model_are_refused(settings, backbone, files):
    config = model_config(settings, backbone, 3)
    export(build(config), model_config(settings, backbone, 4), CLASSES, *files)
    with pytest.raises(InputError, match=r"don't fit the model.*conv_seg"):
        load(*files, "cpu")
