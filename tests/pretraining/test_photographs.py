"""A data set's own images as lessons: true proportions, honest guesses, no image twice."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from ssr.errors import InputError
from ssr.index import Image
from ssr.pretraining.captions import Speaker
from ssr.pretraining.lessons import Chance
from ssr.pretraining.photograph_lessons import (
    PhotographClipLessons,
    PhotographDinoLessons,
    balanced_chances,
    centrality,
    draw_parts,
    draw_windows,
)
from ssr.pretraining.photographs import Photographs, open_photographs, write_photographs
from ssr.pretraining.recipes import ViewRecipe
from ssr.pretraining.standins import labelled

VIEWS = ViewRecipe(size=32, patch=8, batch=6, smallest=0.5)
COLOURS = {1: (200, 30, 30), 2: (30, 30, 200)}


def write(folder: Path, images: list[Image]) -> Photographs:
    list(write_photographs(folder / "stored", images, folder, side=48, segments=6))
    return open_photographs(folder / "stored", images, classes=3, segments=6)


@pytest.fixture
def images(tmp_path: Path) -> list[Image]:
    """A red image of class 1, a blue one of class 2, both twice as wide as high."""
    for label, colour in COLOURS.items():
        Picture.new("RGB", (80, 40), colour).save(tmp_path / f"{label}.png")
    return [Image(f"{i}", f"{i}.png", 80, 40, "train", (i,), "train_0000") for i in COLOURS]


@pytest.fixture
def photographs(images: list[Image], tmp_path: Path) -> Photographs:
    return write(tmp_path, images)


def test_images_are_stored_square_with_size_labels_and_segments(photographs: Photographs) -> None:
    assert photographs.images.shape == (2, 48, 48, 3)
    assert photographs.sizes.tolist() == [[40, 80]] * 2
    assert photographs.labels.tolist() == [[True, False, False], [False, True, False]]
    assert photographs.segments.max() < photographs.segment_count == 6


def test_a_finished_store_is_left_alone(images: list[Image], tmp_path: Path) -> None:
    write(tmp_path, images)
    (tmp_path / "1.png").unlink()
    assert len(write(tmp_path, images)) == 2


def test_windows_are_square_in_the_true_proportions() -> None:
    sizes = np.array([[40.0, 80.0]] * 50)
    windows = draw_windows(sizes, 48, VIEWS, np.random.default_rng(0))
    pixels = windows.side / 48 * sizes
    assert np.allclose(pixels[:, 0], pixels[:, 1])
    assert pixels.min() >= 20
    assert pixels.max() <= 40
    assert windows.corner.min() > -1e-6
    assert (windows.corner + windows.side).max() < 48 + 1e-6


def test_rare_classes_come_more_often_than_their_share() -> None:
    labels = np.zeros((10, 2), bool)
    labels[:8, 0] = labels[8:9, 1] = True
    chances = balanced_chances(labels)
    assert chances[8] > chances[0] > chances[9] == 0
    assert chances.sum() == pytest.approx(1)


def test_the_middle_is_central() -> None:
    places = torch.tensor([[[0.5, 0.5], [0.5, 1.0], [0.0, 0.3]]])
    assert centrality(places).tolist() == [[1, 0, 0]]


def test_some_views_are_cut_once() -> None:
    parts = draw_parts(200, 8, 0.5, np.random.default_rng(0))
    cut = parts.flatten(1).any(1)
    assert 60 < cut.sum() < 140
    shares = parts[cut].float().mean((1, 2))
    assert 0.2 < shares.min() < shares.max() < 0.8


def test_patches_are_named_by_the_image_that_they_are_from(photographs: Photographs) -> None:
    speaker = Speaker(("red", "blue", "none"), ("background",))
    lessons = PhotographClipLessons(photographs, VIEWS, speaker, kept=1.0, centre_prior=1.0)
    mixed = False
    for step in range(10):
        lesson = lessons.draw(step, Chance.of(0, step))
        names = lesson.name_patches(torch.zeros(*lesson.kept.shape, 4))
        patches = lesson.pixels.unflatten(2, (4, 8)).unflatten(4, (4, 8)).mean((3, 5))
        redder = (patches[:, 0] > patches[:, 2]).flatten(1).gather(1, lesson.kept)
        assert set(names.unique().tolist()) <= {-1, 0, 1, 3}
        assert redder[names == 0].all()
        assert not redder[names == 1].any()
        both = (redder.any(1) & ~redder.all(1)).tolist()
        mixed |= any(both)
        for caption, two in zip(lesson.captions, both, strict=True):
            assert two or not ("red" in caption and "blue" in caption)
    assert mixed, "some views are collages"


def test_both_sights_show_the_same_segments(photographs: Photographs) -> None:
    seen, shown = PhotographDinoLessons(photographs, VIEWS).draw(0, Chance.of(0))
    assert seen.pixels.shape == shown.pixels.shape == (6, 3, 32, 32)
    assert not torch.equal(seen.pixels, shown.pixels)
    assert set(seen.names.unique().tolist()) <= {-1, *range(6)}


def test_images_without_labels_teach_no_names(images: list[Image]) -> None:
    bare = Image("3", "3.png", 80, 40, "train", (), "train_0000")
    assert labelled([*images, bare]) == images
    with pytest.raises(InputError, match="train images with labels"):
        labelled([bare])
