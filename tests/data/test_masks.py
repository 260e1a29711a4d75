import pickle
import zipfile

import numpy as np
import pytest
from PIL import Image

from ssr.data.masks import Masks, UnknownColourError
from ssr.data.pngs import encode_png
from ssr.errors import InputError

RED, GREEN, BLACK = 0xFF0000, 0x00FF00, 0x000000


@pytest.mark.parametrize("references", [{}, {"b": "masks/b.png", "a": "masks/a.png"}])
@pytest.mark.parametrize("colours", [{}, {BLACK: 0, RED: 1, GREEN: 255}])
def test_reads_what_was_written(tmp_path, references, colours):
    masks = Masks(references, tmp_path / "set", colours)
    masks.write(tmp_path / "masks.parquet")
    assert Masks.read(tmp_path / "masks.parquet", tmp_path / "set") == masks


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"masks\.parquet: cannot be read"):
        Masks.read(tmp_path / "masks.parquet", tmp_path)


def test_a_mask_is_a_file_or_lies_in_an_archive(tmp_path):
    first, second = np.eye(3, dtype=np.uint8), np.full((2, 4), 255, np.uint8)
    (tmp_path / "a.png").write_bytes(encode_png(first))
    with zipfile.ZipFile(tmp_path / "val.zip", "w") as archive:
        archive.writestr("val/b.png", encode_png(second))
    references = {"a": "a.png", "b": "val.zip!val/b.png", "c": f"{tmp_path}/val.zip!val/b.png"}
    masks = pickle.loads(pickle.dumps(Masks(references, tmp_path)))
    np.testing.assert_array_equal(masks.load("a"), first)
    np.testing.assert_array_equal(masks.load("b"), second)
    np.testing.assert_array_equal(masks.load("c"), second)


def test_masks_of_some_images_are_those_that_there_are(tmp_path):
    masks = Masks({"a": "a.png", "b": "b.png"}, tmp_path, {RED: 1})
    assert masks.of(["b", "c"]) == Masks({"b": "b.png"}, tmp_path, {RED: 1})


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_stand_for_classes(tmp_path, mode):
    picture = Image.new("RGB", (3, 2))
    picture.putpixel((1, 0), (255, 0, 0))
    picture.putpixel((2, 1), (0, 255, 0))
    picture.convert(mode).save(tmp_path / "a.png")
    mask = Masks({"a": "a.png"}, tmp_path, {BLACK: 0, RED: 2, GREEN: 255}).load("a")
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 2, 0], [0, 0, 255]]


def test_a_colour_that_stands_for_nothing_is_named(tmp_path):
    Image.new("RGB", (2, 2), (1, 2, 3)).save(tmp_path / "a.png")
    with pytest.raises(UnknownColourError, match=r"a\.png \(#010203\)"):
        Masks({"a": "a.png"}, tmp_path, {BLACK: 0}).load("a")


def test_a_missing_mask_is_named(tmp_path):
    masks = Masks({"a": "a.png", "b": "none.zip!b.png"}, tmp_path)
    with pytest.raises(InputError, match=r"a\.png: no such file"):
        masks.load("a")
    with pytest.raises(InputError, match=r"none\.zip: no such file"):
        masks.load("b")
