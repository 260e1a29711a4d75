"""Pooling: what becomes of an image's patches under its CAMs."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from ssr.alignment.samples import Samples, background_map, concatenate, pool, pool_image
from ssr.config import Prototypes

# Patches of a 1x4 grid, of different length: two show a class, one another, one the background.
PATCHES = torch.tensor([[3.0, 0, 0], [1.0, 0, 0], [0, 5.0, 0], [0, 0, 2.0]])
BACKGROUNDS = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])
FIRST, SECOND = [[2.0, 4.0, 0.0, 0.0]], [[0.0, 0.0, 8.0, 0.0]]


def pooled(cams: list[list[list[float]]], labels: list[int], **settings: Any) -> Samples:
    chosen = Prototypes(**settings)
    return pool_image("a", PATCHES, np.array(cams), labels, BACKGROUNDS, 5, chosen)


@pytest.mark.parametrize(
    ("unit_patches", "direction"), [(False, [3.0, 10.0, 0]), (True, [1.0, 2.0, 0])]
)
def test_pooling_averages_patches_under_the_map(unit_patches: bool, direction: list[float]) -> None:
    """As they are, long ones count for more; at unit length, directions alone do."""
    weights = torch.tensor([[1.0, 0, 2.0, 0], [0, 0, 0, 0.1]])
    expected = torch.tensor([direction, [0, 0, 1.0]])
    expected /= expected.norm(dim=1, keepdim=True)
    torch.testing.assert_close(pool(PATCHES, weights, unit_patches), expected)


@pytest.mark.parametrize("unit_patches", [False, True])
def test_pooling_equals_a_loop_over_patches(unit_patches: bool) -> None:
    random = np.random.default_rng(0)
    patches, maps = random.normal(size=(6, 4)), random.random((2, 6))
    result = pool(torch.from_numpy(patches), torch.from_numpy(maps), unit_patches)
    for pooled_row, weights in zip(result.numpy(), maps, strict=True):
        total = np.zeros(4)
        for weight, patch in zip(weights, patches, strict=True):
            length = math.sqrt(sum(value * value for value in patch)) if unit_patches else 1
            total += weight * patch / length
        np.testing.assert_allclose(pooled_row, total / math.sqrt(total @ total), rtol=1e-12)


def test_the_settings_say_how_patches_are_pooled() -> None:
    everywhere = [[0.0, 1.0, 2.0, 2.0]]
    as_they_are, at_unit_length = (
        pooled([everywhere], [2], unit_patches=each, background_below=0.0).features[0]
        for each in (False, True)
    )
    np.testing.assert_allclose(as_they_are, np.array([0.5, 5, 2]) / 29.25**0.5, atol=1e-6)
    np.testing.assert_allclose(at_unit_length, np.array([0.5, 1, 1]) / 1.5, atol=1e-6)


def test_what_is_pooled_after_isa_is_stored_as_heads_that_change_nothing_see_it() -> None:
    after, unit = (
        pooled([FIRST, SECOND], [2, 5], **settings)
        for settings in ({"pooling": "after"}, {"unit_patches": True})
    )
    np.testing.assert_array_equal(after.features, unit.features)


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
    assert pooled([everywhere], [2], background_below=0.0).labels.tolist() == [1]


@pytest.mark.parametrize(("sample", "labels"), [("image", [1, 4, 6]), ("both", [1, 4, 1, 4, 6])])
def test_the_mean_patch_may_show_the_classes(sample: str, labels: list[int]) -> None:
    found = pooled([FIRST, SECOND], [2, 5], sample=sample)
    assert found.labels.tolist() == labels
    assert found.images.tolist() == ["a"] * len(labels)
    # The mean of the patches as they are, at unit length: what Grad-CAM's score judges.
    mean = np.array([4.0, 5.0, 2.0]) / 45**0.5
    np.testing.assert_allclose(found.features[:2], [mean, mean], atol=1e-6)
    np.testing.assert_allclose(found.features[2:], np.eye(3)[3 - len(labels[2:]) :], atol=1e-6)


def test_an_image_shows_its_classes_even_where_a_cam_is_constant() -> None:
    constant = [[1.0, 1.0, 1.0, 1.0]]
    assert pooled([constant, SECOND], [2, 5], sample="image").labels.tolist() == [1, 4, 5]
    assert pooled([constant, SECOND], [2, 5], sample="both").labels.tolist() == [1, 4, 4, 5]


def test_foreground_leaves_the_background_samples_out() -> None:
    alone = pooled([FIRST, SECOND], [2, 5]).foreground(5)
    assert alone.labels.tolist() == [1, 4]
    assert len(alone.images) == len(alone.features) == 2


def test_samples_of_images_are_joined_in_their_order() -> None:
    both = concatenate([pooled([FIRST], [3]), pooled([SECOND], [1])])
    assert both.labels.tolist() == [2, 6, 0, 5]
    assert both.features.shape == (4, 3)


def test_of_no_image_there_are_none() -> None:
    none = Samples.none(3)
    both = concatenate([none, pooled([FIRST], [3]), none])
    alone = pooled([FIRST], [3])
    for name in ("images", "labels", "features"):
        found, expected = getattr(both, name), getattr(alone, name)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    assert concatenate([none, none]).features.shape == (0, 3)
