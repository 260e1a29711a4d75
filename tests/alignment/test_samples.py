"""Pooling: what becomes of an image's patches under its CAMs."""

import numpy as np
import pytest
import torch

from ssr.alignment.samples import Samples, background_map, concatenate, pool, pool_image
from ssr.errors import InputError

# Patches of a 1x4 grid, of different length: two show a class, one another, one the background.
PATCHES = torch.tensor([[3.0, 0, 0], [1.0, 0, 0], [0, 5.0, 0], [0, 0, 2.0]])
BACKGROUNDS = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])
FIRST, SECOND = [[2.0, 4.0, 0.0, 0.0]], [[0.0, 0.0, 8.0, 0.0]]


def pooled(cams: list[list[list[float]]], labels: list[int], limit: float = 0.3) -> Samples:
    return pool_image("a", PATCHES, np.array(cams), labels, BACKGROUNDS, classes=5, limit=limit)


def test_pooling_averages_directions_under_the_map() -> None:
    weights = torch.tensor([[1.0, 0, 2.0, 0], [0, 0, 0, 0.1]])
    expected = torch.tensor([[1.0, 2.0, 0], [0, 0, 1.0]]) / torch.tensor([[5.0**0.5], [1.0]])
    torch.testing.assert_close(pool(PATCHES, weights), expected)


def test_background_is_where_every_map_is_low() -> None:
    maps = np.array([[[0.0, 0.2, 0.9]], [[0.1, 0.0, 0.3]]], np.float32)
    np.testing.assert_allclose(background_map(maps, 0.3), [[0.9, 0.8, 0.0]])


def test_every_class_and_the_background_give_one_sample() -> None:
    found = pooled([FIRST, SECOND], [2, 5])
    assert found.images.tolist() == ["a", "a", "a"]
    # Classes 2 and 5 of 5, then the second background text, which the last patch resembles.
    assert found.labels.tolist() == [1, 4, 6]
    np.testing.assert_allclose(found.features, np.eye(3), atol=1e-6)
    assert found.features.dtype == np.float32


def test_constant_cams_and_images_without_background_give_no_sample() -> None:
    constant, everywhere = [[1.0, 1.0, 1.0, 1.0]], [[0.0, 1.0, 2.0, 2.0]]
    assert pooled([constant, SECOND], [2, 5]).labels.tolist() == [4, 5]
    assert pooled([everywhere], [2], limit=0.0).labels.tolist() == [1]


def test_foreground_leaves_the_background_samples_out() -> None:
    alone = pooled([FIRST, SECOND], [2, 5]).foreground(5)
    assert alone.labels.tolist() == [1, 4]
    assert len(alone.images) == len(alone.features) == 2


def test_samples_of_images_are_joined_in_their_order() -> None:
    both = concatenate([pooled([FIRST], [3]), pooled([SECOND], [1])])
    assert both.labels.tolist() == [2, 6, 0, 5]
    assert both.features.shape == (4, 3)


def test_without_any_sample_there_is_nothing_to_learn() -> None:
    with pytest.raises(InputError, match="labelled training images"):
        concatenate([])
