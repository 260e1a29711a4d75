"""The gates' measures against definitions written out by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ssr.backbones.networks import load_clip, load_dino
from ssr.backbones.text import TextEmbeddings
from ssr.config import Features
from ssr.labels import IGNORE
from ssr.pretraining.gates import (
    Scenes,
    attention_aucs,
    initial_cam,
    linear_probe,
    measure_clip,
    measure_dino,
    read_scenes,
    single_object_top1,
)
from tests.backbone_models import tiny_clip, tiny_dino


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_attention_is_judged_where_it_can_be() -> None:
    labels = torch.tensor([[1, 1, 0, 0, IGNORE], [0, 0, 0, 0, 0]])
    attention = (labels[:, :, None] == labels[:, None]).float() + torch.rand(2, 5, 5) / 10
    attention[0, 2:] = 1.1 - attention[0, 2:]  # patches of the background don't ask
    assert attention_aucs(attention, labels)["attention_auc"] == 1


def test_sinkhorn_undoes_hot_columns() -> None:
    block = torch.block_diag(torch.ones(3, 3), torch.ones(3, 3)) + 0.1
    hot = block * torch.tensor([1, 1, 30, 1, 1, 30.0])
    aucs = attention_aucs(hot[None] / hot.sum(1), torch.tensor([[1, 1, 1, 2, 2, 2]]))
    assert aucs["attention_auc"] < aucs["attention_auc_sinkhorn"] == 1


def test_a_probe_finds_a_linear_rule(generator: torch.Generator) -> None:
    centres = 5 * torch.randn(11, 16, generator=generator)
    labels = torch.arange(11).repeat(20)
    features = centres[labels] + torch.randn(220, 16, generator=generator)
    assert linear_probe(features[::2], labels[::2], features[1::2], labels[1::2]) > 95
    shuffled = labels[torch.randperm(220, generator=generator)]
    assert linear_probe(features[::2], shuffled[::2], features[1::2], shuffled[1::2]) < 30


def test_a_probe_leaves_patches_without_label_out(generator: torch.Generator) -> None:
    centres = 5 * torch.randn(11, 16, generator=generator)
    labels = torch.arange(11).repeat(20)
    features = centres[labels] + torch.randn(220, 16, generator=generator)
    features[:22], labels[:22] = 1000, IGNORE
    assert linear_probe(features[::2], labels[::2], features[1::2], labels[1::2]) > 95


def test_top1_looks_at_images_of_one_object_alone() -> None:
    texts = torch.eye(10)
    patches = texts[[4, 9, 0]][:, None]
    assert single_object_top1(patches, texts, [[5], [6], [7, 8]]) == 0.5


def test_image_level_labels_are_those_of_the_mask() -> None:
    masks = np.zeros((2, 4, 4), np.uint8)
    masks[0, 0, :3] = 7, 3, IGNORE
    assert Scenes(np.zeros((2, 4, 4, 3), np.uint8), masks).classes == [[3, 7], []]


def test_all_gates_of_untrained_networks(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3, 32, 32, 3), np.uint8)
    masks = np.zeros((3, 32, 32), np.uint8)
    masks[0, :16], masks[1, :, 8:] = 2, 9  # the third scene shows no object
    clip, dino = load_clip(tiny_clip(tmp_path), "cpu"), load_dino(tiny_dino(tmp_path), "cpu")
    unit = np.eye(24, dtype=np.float32)
    texts = TextEmbeddings(unit[:10], unit[10:12], np.arange(12).astype(str), np.float32(10))
    read = read_scenes(clip, dino, Scenes(images, masks), Features(clip_attention_blocks=2))
    assert read.labels[0].tolist() == [2] * 8 + [0] * 8
    measured = measure_clip(clip, texts, read, read) | measure_dino(read)
    assert all(0 <= value <= 100 for value in measured.values())
    cam = initial_cam(clip, texts, read)
    assert 0 < cam["initial_cam_threshold"] < 1
    assert cam["initial_cam_miou"] == measured["initial_cam_miou"]
