"""Views keep pixels and labels together, and strokes and segments point at what they say."""

import numpy as np
import pytest
import torch

from ssr.demo import make_scene
from ssr.pretraining.segments import grouping_loss, pair_segments
from ssr.pretraining.strokes import draw_strokes
from ssr.pretraining.views import (
    UNLABELLED,
    join_labels,
    object_centres,
    patch_names,
    patch_shares,
    sample_views,
    sine_cosine_positions,
    window_positions,
)


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray]:
    drawn = make_scene(4, 0)
    return drawn.image[None], join_labels(drawn.mask, drawn.stuff)[None]


def test_joined_labels_put_stuff_behind_objects() -> None:
    mask = np.array([[0, 1, 10, 255]], np.uint8)
    stuff = np.array([[6, 6, 0, 0]], np.uint8)
    assert join_labels(mask, stuff).tolist() == [[16, 0, 9, UNLABELLED]]


@pytest.mark.parametrize("flip", [False, True])
def test_a_window_of_scale_one_copies_pixels(
    scene: tuple[np.ndarray, np.ndarray], flip: bool
) -> None:
    images, labels = scene
    centre = np.array([[50.0, 60.0]])
    view = sample_views(images, labels, centre, np.ones(1), np.array([flip]), 64)
    cut = images[0, 18:82, 28:92][:, :: -1 if flip else 1]
    shown = labels[0, 18:82, 28:92][:, :: -1 if flip else 1]
    assert np.allclose(view.pixels[0].permute(1, 2, 0).numpy() * 255, cut, atol=0.01)
    assert (view.labels[0].numpy() == shown).all()


def test_windows_stay_inside(scene: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = scene
    view = sample_views(images, labels, np.zeros((1, 2)), np.ones(1), np.zeros(1, bool), 112)
    assert np.allclose(view.pixels[0].permute(1, 2, 0).numpy() * 255, images[0], atol=0.01)


def test_centres_lie_at_one_object(scene: tuple[np.ndarray, np.ndarray]) -> None:
    _, labels = scene
    centre = object_centres(labels, np.random.default_rng(0))[0]
    objects = [np.argwhere(labels[0] == name).mean(0) for name in np.unique(labels[labels < 10])]
    assert min(np.abs(centre - middle).max() for middle in objects) < 1e-9


def test_patches_are_named_by_at_least_60_percent() -> None:
    labels = torch.full((1, 8, 16), 12)
    labels[0, :4] = 3
    labels[0, :, :8] = 3
    shares = patch_shares(torch.cat([labels, labels], 1))
    assert shares.sum(-1).tolist() == [[1.0] * 4]
    assert patch_names(shares).tolist() == [[3, -1, 3, -1]]


def test_strokes_touch_one_to_six_patches_of_their_name() -> None:
    names = torch.tensor([[2] * 20 + [11] * 4 + [-1], [-1] * 25])
    weights, targets = draw_strokes(names, 50, 6, torch.Generator().manual_seed(0))
    touched = weights[0] > 0
    assert set(targets[0].tolist()) == {2, 11}
    assert all((names[0][t] == n).all() for t, n in zip(touched, targets[0], strict=True))
    assert set(touched[targets[0] == 2].sum(1).tolist()) == {1, 2, 3, 4, 5, 6}
    assert torch.allclose(weights[0].sum(1), torch.ones(50))
    assert (targets[1] == -1).all()


def test_segments_pair_within_an_image_and_never_across() -> None:
    student = torch.tensor([[1, 1, 5, -1], [1, 7, 7, 7]])
    teacher = torch.tensor([[1, 1, 1, 4], [7, 7, 1, -1]])
    pairs = pair_segments(student, teacher)
    assert pairs.owner.tolist() == [0, 1]
    assert pairs.patches.tolist() == [0, 1, 5, 6, 7]
    assert pairs.segment.tolist() == [0, 0, 1, 1, 1]
    assert pairs.weight.sum() == pytest.approx(1)
    assert pairs.pooling[0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_grouping_is_best_where_attention_is_even_over_the_own_segment() -> None:
    names = torch.tensor([[0, 0, 1, -1]])
    even = torch.tensor([[[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 1, 0], [0.25] * 4]])
    hot = torch.tensor([[[0.9, 0.1, 0, 0], [0.9, 0.1, 0, 0], [0, 0, 1, 0], [0.25] * 4]])
    astray = torch.full((1, 4, 4), 0.25)
    losses = [grouping_loss(attention, names).item() for attention in (even, hot, astray)]
    assert losses == sorted(losses)


def test_position_windows_keep_the_spacing() -> None:
    embedding = torch.cat([torch.zeros(1, 32), sine_cosine_positions(32, 14)])
    window = window_positions(embedding, 8, (3, 5))
    assert window.shape == (65, 32)
    assert torch.equal(window[1], embedding[1 + 3 * 14 + 5])
    assert torch.equal(window_positions(embedding, 14, (0, 0)), embedding)
