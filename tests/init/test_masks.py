"""Masks are used where they serve, and it is said why they don't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ssr.config import Data
from ssr.data.splits import split_ids
from ssr.init.layout import describe
from tests.init.conftest import SIZE, boats, labelled, mask

ROWS = ["a.jpg,boat,train", "b.jpg,boat,train", "c.jpg,boat,tune", "d.jpg,boat,val"]


def described(folder: Path) -> tuple[dict[str, Any], list[str]]:
    doubts: list[str] = []
    return describe(folder, doubts), doubts


def divided(folder: Path, rows: list[str], masked: str) -> tuple[dict[str, Any], list[str]]:
    labelled(folder, rows, "image,labels,split")
    for name in masked:
        mask(folder / f"masks/{name}.png", 0, 1)
    return described(folder)


def test_without_a_column_of_splits_images_with_masks_tune_and_judge(folder: Path) -> None:
    boats(folder)
    for number in range(4):
        mask(folder / f"masks/{number:02}.png", 0, 1)
    values, _ = described(folder)
    assert values["masks"] == "masks"
    assert {split: len(ids) for split, ids in split_ids(Data(**values)).items()} == {
        "train": 8,
        "tune": 2,
        "val": 2,
        "test": 0,
    }


@pytest.mark.parametrize("masked", ["cd", "abcd"])
def test_splits_that_are_named_are_those_that_masks_serve(folder: Path, masked: str) -> None:
    values, _ = divided(folder, ROWS, masked)
    assert values["masks"] == "masks"
    assert "tune_images" not in values


def test_where_all_of_train_has_masks_some_of_it_tunes(folder: Path) -> None:
    rows = [row.replace("tune", "train") for row in ROWS]
    assert divided(folder, rows, "abcd")[0]["tune_images"] == 1


@pytest.mark.parametrize(
    ("rows", "masked", "why"),
    [
        (ROWS, "c", "1 images of val have none, such as d"),
        (ROWS[:3], "c", "no image is in val"),
        ([ROWS[0], ROWS[1], ROWS[3]], "d", "1 images of tune have none, such as"),
    ],
)
def test_why_masks_do_not_serve_is_said(
    folder: Path, rows: list[str], masked: str, why: str
) -> None:
    values, (doubt,) = divided(folder, rows, masked)
    assert values["masks"] is None
    assert doubt.startswith(f"{len(masked)} masks in harbour/masks are not used: {why}")


def test_a_single_mask_does_not_serve(folder: Path) -> None:
    mask(boats(folder) / "masks/00.png", 1)
    values, (doubt,) = described(folder)
    assert values["masks"] is None
    assert "came 1 of 12 images with a mask" in doubt


def test_files_that_are_no_masks_are_not_passed_over(folder: Path) -> None:
    mask(boats(folder) / "masks/00.PNG", 1)
    values, (doubt,) = described(folder)
    assert values["masks"] is None
    assert doubt.startswith("harbour/masks has no mask: they are called")


@pytest.mark.parametrize("mode", ["L", "1", "RGB"])
def test_black_and_white_is_background_and_the_one_class(folder: Path, mode: str) -> None:
    labelled(folder, [f"{n}.jpg,boat" for n in range(4)])
    (folder / "masks").mkdir()
    for number in range(2):
        picture = Image.new("L", SIZE[::-1])
        picture.paste(255, (0, 0, 20, 20))
        picture.convert(mode).save(folder / f"masks/{number}.png")
    values, doubts = described(folder)
    if mode == "1":  # its pixels are 0 and 1, as indices are
        assert "mask_colours" not in values
    else:
        assert values["mask_colours"] == {"background": "#000000", "boat": "#ffffff"}
    assert doubts == []


def test_colours_that_nobody_has_explained_are_named(folder: Path) -> None:
    boats(folder)
    (folder / "masks").mkdir()
    for number in range(4):
        Image.new("RGB", SIZE[::-1], (255, 0, number)).save(folder / f"masks/{number:02}.png")
    values, (doubt,) = described(folder)
    assert values["masks"] is None
    assert doubt.endswith(
        "say in data.mask_colours what their colours mean: #ff0000, #ff0001, #ff0002, #ff0003"
    )
