import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ssr.backbones.text import TextEmbeddings
from ssr.segmenter.decode_head import (
    AlignedPatchText,
    ForegroundBackgroundLoss,
    PatchText,
    TransformerFusionHead,
)

LABELS = torch.tensor([[[0, 0, 0, 1], [2, 255, 0, 255]]])


def mean_cross_entropy(logits, labels, chosen):
    return F.cross_entropy(logits[0].flatten(1).T[chosen], labels.flatten()[chosen])


def test_the_loss_of_logits_that_are_known():
    """Softmax gives the background 1/2, two objects 1/8 and 1/4; a pixel is ignored."""
    labels = torch.tensor([[[0, 255], [2, 1]]])
    shares = torch.tensor(
        [[1 / 2, 1 / 4, 1 / 4], [1, 1, 1], [5 / 8, 1 / 4, 1 / 8], [1 / 4, 1 / 4, 1 / 2]],
        dtype=torch.float64,
    )
    logits = (shares.log() + torch.tensor([[3.0], [0], [-7], [1]])).T.reshape(1, 3, 2, 2)
    expected = (math.log(2) + (math.log(8) + math.log(4)) / 2) / 2
    assert ForegroundBackgroundLoss()(logits, labels).item() == pytest.approx(expected, rel=1e-6)


def test_background_and_foreground_are_averaged_separately():
    logits = torch.randn(1, 3, 2, 4)
    background = mean_cross_entropy(logits, LABELS, [0, 1, 2, 6])
    foreground = mean_cross_entropy(logits, LABELS, [3, 4])
    loss = ForegroundBackgroundLoss()(logits, LABELS)
    torch.testing.assert_close(loss, (background + foreground) / 2)


def test_ignored_pixels_have_no_gradient():
    logits = torch.randn(1, 3, 2, 4, requires_grad=True)
    ForegroundBackgroundLoss()(logits, LABELS).backward()
    touched = logits.grad.abs().sum(1) > 0
    assert torch.equal(touched, LABELS != 255)


@pytest.mark.parametrize(("value", "other"), [(0, 1), (1, 0)])
def test_a_part_without_a_pixel_counts_as_zero(value, other):
    logits = torch.randn(1, 3, 2, 4)
    labels = torch.full((1, 2, 4), value)
    loss = ForegroundBackgroundLoss()(logits, labels)
    torch.testing.assert_close(loss, F.cross_entropy(logits, labels) / 2)


def test_an_image_without_labels_has_loss_zero():
    loss = ForegroundBackgroundLoss()(torch.randn(1, 3, 2, 4), torch.full((1, 2, 4), 255))
    assert loss == 0


def make_head(**options):
    given = {"in_channels": [6, 6], "channels": 8, "layers": 2, "heads": 2} | options
    return TransformerFusionHead(num_classes=3, out_channels=3, **given)


@pytest.fixture
def texts():
    """Two classes and two backgrounds along the axes of a joint space of five."""
    axes = np.eye(4, 5, dtype=np.float32)
    names = np.array(["cat", "dog", "sky", "grass"])
    return TextEmbeddings(axes[:2], axes[2:], names, np.float32(3))


def test_clips_opinion_of_a_patch_is_shared_out_among_its_texts(texts):
    said = PatchText(2, 4, 5)
    said.fill(texts)
    patches = torch.zeros(1, 5, 1, 2)
    patches[0, 1, 0, 0] = 7.0  # a dog, of any length
    patches[0, 4, 0, 1] = 1.0  # nothing that there is a text for
    shares = said(patches).exp()[0, :, 0].T
    torch.testing.assert_close(shares[0], torch.tensor([2, 1, math.exp(3)]) / (3 + math.exp(3)))
    torch.testing.assert_close(shares[1], torch.tensor([0.5, 0.25, 0.25]))


def test_clips_opinion_is_the_same_in_mixed_precision(texts):
    said = PatchText(2, 4, 5)
    said.fill(texts)
    patches = torch.randn(1, 5, 3, 4)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = said(patches)
    assert torch.equal(mixed, said(patches))


def test_heads_that_start_at_clip_say_what_clip_says_and_learn_from_the_loss(texts):
    plain, aligned = PatchText(2, 4, 5), AlignedPatchText(2, 4, 5, {"dimension": 5, "layers": 1})
    for said in (plain, aligned):
        said.fill(texts)
    patches = torch.randn(2, 5, 3, 4)
    torch.testing.assert_close(aligned(patches), plain(patches))
    aligned(patches)[:, 1].sum().backward()
    for head in (aligned.heads.image, aligned.heads.text):
        assert head.layers[-1].weight.grad.abs().sum() > 0


def test_the_heads_of_the_decoder_judge_a_patch_alike_in_training(texts):
    head = make_head(in_channels=[6, 3], texts=(4, 5), aligned={"dimension": 5}).train()
    assert head.training
    assert not any(module.training for module in head.patch_text.heads.modules())
    head.patch_text.fill(texts)
    patches = torch.randn(2, 5, 3, 4)
    assert torch.equal(head.patch_text(patches), head.eval().patch_text(patches))


def test_the_decoder_adds_to_what_clip_says(texts):
    head = make_head(in_channels=[6, 3], texts=(4, 5)).eval()
    head.patch_text.fill(texts)
    maps = [torch.randn(1, 6, 3, 4), torch.randn(1, 5, 3, 4)]
    added = head(maps) - head.patch_text(maps[1])
    nn.init.zeros_(head.conv_seg.weight)
    nn.init.zeros_(head.conv_seg.bias)
    assert added.abs().max() > 0
    torch.testing.assert_close(head(maps), head.patch_text(maps[1]))


def test_logits_lie_on_the_patch_grid():
    logits = make_head()([torch.randn(2, 6, 3, 5), torch.randn(2, 6, 3, 5)])
    assert logits.shape == (2, 3, 3, 5)


def counted_by_hand(maps, width, channels, layers, classes):
    """Weights and biases of a decoder, from its description."""

    def linear(inputs, outputs):
        return inputs * outputs + outputs

    projections = maps * (linear(width, channels) + linear(channels, channels))
    attention = linear(channels, 3 * channels) + linear(channels, channels)
    perceptron = linear(channels, 4 * channels) + linear(4 * channels, channels)
    block = attention + perceptron + 2 * 2 * channels  # two norms
    fusion, answer = linear(maps * channels, channels), linear(channels, classes)
    return projections + fusion + layers * block + answer


@pytest.mark.parametrize(
    ("maps", "width", "channels", "layers", "heads", "classes"),
    [(2, 6, 8, 2, 2, 3), (11, 768, 256, 3, 8, 21)],
    ids=["tiny", "voc"],
)
def test_the_decoder_has_the_parameters_of_its_description(
    maps, width, channels, layers, heads, classes
):
    head = TransformerFusionHead(
        num_classes=classes,
        out_channels=classes,
        in_channels=[width] * maps,
        channels=channels,
        layers=layers,
        heads=heads,
    )
    found = sum(parameter.numel() for parameter in head.parameters())
    assert found == counted_by_hand(maps, width, channels, layers, classes)


def test_every_map_and_every_patch_counts():
    torch.manual_seed(0)  # with some weights, no unit of the first layers sees a patch
    head = make_head().eval()
    maps = [torch.randn(1, 6, 3, 5, requires_grad=True) for _ in range(2)]
    head(maps)[0, :, 0, 0].sum().backward()
    # attention lets the corner see all patches of both maps
    assert all((features.grad.abs().sum(1) > 0).all() for features in maps)


def test_dropout_drops_only_in_training():
    head = make_head(dropout_ratio=0.5)
    maps = [torch.randn(1, 6, 3, 5)] * 2
    assert not torch.equal(head.train()(maps), head(maps))
    assert torch.equal(head.eval()(maps), head(maps))
