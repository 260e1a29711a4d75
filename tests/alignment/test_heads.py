"""The heads of CMPA, and where they start."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ssr.alignment.heads import AlignmentHeads, HeadOptions, new_heads, starting_heads
from ssr.alignment.samples import Samples
from ssr.config import Alignment

OPTIONS = HeadOptions(dimension=8, layers=2, width=12, residual=True, temperature=0.05)
FREE = HeadOptions(dimension=8, layers=2, width=12, residual=False, temperature=0.05)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def trained(options: HeadOptions) -> AlignmentHeads:
    """Heads whose every parameter is random."""
    heads = new_heads(options, random(30, 8), random(6, 8, seed=1), seed=2)
    with torch.no_grad():
        for number, parameter in enumerate(heads.image.parameters()):
            parameter.copy_(random(*parameter.shape, seed=number))
    return heads


def test_residual_heads_start_as_the_identity_of_the_sphere() -> None:
    heads = new_heads(OPTIONS, random(30, 8), random(6, 8, seed=1), seed=2)
    features = random(5, 8, seed=3)
    for head in (heads.image, heads.text):
        torch.testing.assert_close(head(features), F.normalize(features, dim=-1))
        assert not torch.allclose(head.layers[0](features), torch.zeros(()))


def test_free_heads_map_to_unit_vectors_of_their_width() -> None:
    aligned = trained(FREE).image(7 * random(2, 5, 8))
    assert aligned.shape == (2, 5, 12)
    torch.testing.assert_close(aligned.norm(dim=-1), torch.ones(2, 5))


def test_a_feature_is_mapped_by_its_direction_alone() -> None:
    head = trained(FREE).image
    features = random(5, 8)
    torch.testing.assert_close(head(features), head(100 * features))


def test_batch_statistics_are_those_of_the_data_from_the_start() -> None:
    images = random(30, 8) + 5
    heads = new_heads(FREE, images, random(6, 8), seed=0)
    running = heads.image(images)
    by_batch = heads.train().image(images)
    torch.testing.assert_close(running, by_batch, atol=0.05, rtol=0)  # biased and unbiased variance
    assert heads.image.layers[1].momentum == 0.1


def test_new_heads_depend_on_the_seed_alone() -> None:
    first, again, other = (
        new_heads(OPTIONS, random(30, 8), random(6, 8), seed).image.layers[0].weight
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_new_heads_have_learned_no_sharpening() -> None:
    heads = AlignmentHeads(OPTIONS)
    assert heads.sharpening == 1
    with torch.no_grad():
        heads.log_temperature += math.log(2)
    assert heads.sharpening.item() == pytest.approx(0.5)


def test_temperature_is_positive_and_starts_as_asked() -> None:
    heads = AlignmentHeads(OPTIONS)
    assert heads.temperature.item() == pytest.approx(0.05)
    with torch.no_grad():
        heads.log_temperature.fill_(-100)
    assert heads.temperature.item() == pytest.approx(0.01)


def test_settings_say_what_new_heads_are_like() -> None:
    images, texts = random(30, 8), random(6, 8)
    found = Samples(np.array(["a"] * 30), np.zeros(30, np.int64), images.numpy())
    settings = Alignment(width=12, residual=False, temperature=0.1)
    made = starting_heads(settings, found, texts, seed=3)
    assert made.options == HeadOptions(8, settings.layers, 12, residual=False, temperature=0.1)
    assert torch.equal(made.text(texts), new_heads(made.options, images, texts, 3).text(texts))
