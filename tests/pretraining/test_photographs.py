"""A data set's own images as lessons: true proportions, honest guesses, no image twice."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from ssr.data.index import Image
from ssr.errors import InputError
from ssr.pretraining.captions import Speaker
from ssr.pretraining.lessons import Chance
from ssr.pretraining.photograph_lessons import (
    PhotographClipLessons,
    PhotographDinoLessons,
    balanced_chances,
    centrality,
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


def test_captions_and_guesses_say_what_the_image_is_labelled(photographs: Photographs) -> None:
    speaker = Speaker(("red", "blue", "green"), ("background",))
    lessons = PhotographClipLessons(photographs, VIEWS, speaker, kept=0.5, centre_prior=1.0)
    lesson = lessons.draw(0, Chance.of(0))
    assert lesson.kept.shape == (6, 8)
    red = lesson.pixels[:, 0].mean((1, 2)) > lesson.pixels[:, 2].mean((1, 2))
    assert ["red" in caption for caption in lesson.captions] == red.tolist()
    assert lesson.matches.bool().equal(red[:, None] == red)
    names = lesson.name_patches(torch.zeros(6, 8, 4))
    assert {frozenset(row.tolist()) for row in names[red]} == {frozenset({-1, 0, 3})}
    assert {frozenset(row.tolist()) for row in names[~red]} == {frozenset({-1, 1, 3})}


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
