"""Views keep pixels and labels together, and strokes and segments point at what they say."""

import numpy as np
import pytest
import torch

from ssr.demo.scenes import make_scene
from ssr.pretraining.corpus import UNLABELLED, join_labels
from ssr.pretraining.positions import (
    corner_places,
    read_positions,
    sine_cosine_positions,
    window_places,
)
from ssr.pretraining.scenes import object_centres
from ssr.pretraining.segments import grouping_loss, pair_segments
from ssr.pretraining.strokes import draw_strokes
from ssr.pretraining.views import (
    Bytes,
    Views,
    Windows,
    cut_views,
    patch_names,
    patch_shares,
    place_windows,
)

Scene = tuple[Bytes, Bytes]


def view(scene: Scene, centre: tuple[float, float], flip: bool, size: int) -> Views:
    """A window of scale 1."""
    windows = place_windows(np.array([centre]), np.ones(1), np.array([flip]), size, 112)
    return cut_views(*scene, windows, size)


@pytest.fixture(scope="module")
def scene() -> Scene:
    drawn = make_scene(4, 0)
    return drawn.image[None], join_labels(drawn.mask, drawn.stuff)[None]


def test_joined_labels_put_stuff_behind_objects() -> None:
    mask = np.array([[0, 1, 10, 255]], np.uint8)
    stuff = np.array([[6, 6, 0, 0]], np.uint8)
    assert join_labels(mask, stuff).tolist() == [[16, 0, 9, UNLABELLED]]


@pytest.mark.parametrize("flip", [False, True])
def test_a_window_of_scale_one_copies_pixels(scene: Scene, flip: bool) -> None:
    images, labels = scene
    seen = view(scene, (50.0, 60.0), flip, 64)
    cut = images[0, 18:82, 28:92][:, :: -1 if flip else 1]
    shown = labels[0, 18:82, 28:92][:, :: -1 if flip else 1]
    assert np.allclose(seen.pixels[0].permute(1, 2, 0).numpy() * 255, cut, atol=0.01)
    assert (seen.labels[0].numpy() == shown).all()


def test_windows_stay_inside(scene: Scene) -> None:
    seen = view(scene, (0.0, 0.0), False, 112)
    assert np.allclose(seen.pixels[0].permute(1, 2, 0).numpy() * 255, scene[0][0], atol=0.01)


def test_centres_lie_at_one_object(scene: Scene) -> None:
    _, labels = scene
    centre = object_centres(labels, np.random.default_rng(0))[0]
    objects = [np.argwhere(labels[0] == name).mean(0) for name in np.unique(labels[labels < 10])]
    assert min(np.abs(centre - middle).max() for middle in objects) < 1e-9


def test_patches_are_named_by_at_least_60_percent() -> None:
    labels = torch.full((1, 8, 16), 12)
    labels[0, :4] = 3
    labels[0, :, :8] = 3
    shares = patch_shares(torch.cat([labels, labels], 1), UNLABELLED + 1, 8)
    assert shares.sum(-1).tolist() == [[1.0] * 4]
    assert patch_names(shares).tolist() == [[3, -1, 3, -1]]


def test_strokes_touch_one_to_six_patches_of_their_name() -> None:
    names = torch.tensor([[2] * 20 + [11] * 4 + [-1], [-1] * 25])
    weights, targets = draw_strokes(names, 17, 50, 6, torch.Generator().manual_seed(0))
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
    table = sine_cosine_positions(32, 14)
    read = read_positions(table, corner_places((3, 5), 4, 14))[0]
    wanted = table.view(14, 14, -1)[3:7, 5:9].reshape(16, -1)
    assert torch.allclose(read, wanted, atol=1e-5)


@pytest.mark.parametrize("flip", [False, True])
def test_places_are_where_a_window_looks(flip: bool) -> None:
    windows = Windows(np.array([[30.0, 50.0]]), np.array([[40.0, 20.0]]), np.array([flip]))
    places = window_places(windows, 100, 2)[0]
    columns = [0.45, 0.55]  # of the flipped image, too: its middle is the image's
    wanted = [[row, column] for row in (0.2, 0.4) for column in columns]
    assert torch.allclose(places, torch.tensor(wanted))


def test_places_of_a_flipped_view_are_those_of_a_flipped_image() -> None:
    windows = Windows(np.array([[50.0, 10.0]]), np.array([[20.0, 20.0]]), np.array([True]))
    assert torch.allclose(window_places(windows, 100, 1)[0], torch.tensor([[0.5, 0.9]]))
