import io
import pickle

import numpy as np
import pytest
from PIL import Image

from ssr.data.pngs import PngWriter, encode_png, open_pngs, read_labels, voc_palette
from ssr.errors import InputError
from tests.raw_png import GREY, PALETTE, raw_png

LABELS = np.array([[0, 1, 20], [255, 80, 2]], np.uint8)


def write(path, ids=("a", "b")):
    with PngWriter(path) as writer:
        for image_id in ids:
            writer.add(image_id, LABELS)
    return path


def test_palette_is_that_of_pascal_voc():
    palette = voc_palette()
    assert palette.shape == (256, 3)
    assert palette[0].tolist() == [0, 0, 0]
    assert palette[1].tolist() == [128, 0, 0]  # aeroplane
    assert palette[15].tolist() == [192, 128, 128]  # person
    assert palette[20].tolist() == [0, 64, 128]  # tvmonitor
    assert palette[255].tolist() == [224, 224, 192]  # ignored
    assert len(np.unique(palette, axis=0)) == 256


def test_a_label_map_is_a_picture_in_the_colours_of_its_classes():
    image = Image.open(io.BytesIO(encode_png(LABELS)))
    assert image.mode == "P"
    np.testing.assert_array_equal(np.array(image), LABELS)
    np.testing.assert_array_equal(np.array(image.convert("RGB")), voc_palette()[LABELS])


def test_reads_what_was_written(tmp_path):
    pngs = open_pngs([write(tmp_path / "1.zip", "ab"), write(tmp_path / "2.zip", "cd")])
    assert pngs.ids == ["a", "b", "c", "d"]
    assert len(pngs) == 4
    assert "d" in pngs
    assert "e" not in pngs
    for opened in (pngs, pickle.loads(pickle.dumps(pngs))):
        np.testing.assert_array_equal(opened.read("c"), LABELS, strict=True)


def test_equal_content_gives_equal_bytes_whatever_the_clock(tmp_path, monkeypatch):
    first = write(tmp_path / "1.zip").read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert write(tmp_path / "2.zip").read_bytes() == first


def test_nothing_appears_when_writing_fails(tmp_path):
    def fail():
        with PngWriter(tmp_path / "1.zip") as writer:
            writer.add("a", LABELS)
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_missing_damaged_and_unknown_are_named(tmp_path):
    path = write(tmp_path / "1.zip")
    with pytest.raises(InputError, match="no label map of image c"):
        open_pngs([path]).read("c")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"1\.zip: is cut short"):
        open_pngs([path])
    with pytest.raises(InputError, match=r"2\.zip: no such file"):
        open_pngs([tmp_path / "2.zip"])


@pytest.mark.parametrize("mode", ["P", "L"])
def test_masks_are_read_as_indices(tmp_path, mode):
    image = Image.fromarray(LABELS)
    if mode == "P":
        image.putpalette(voc_palette()[::-1].tobytes())
    image.save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "mask.png"), LABELS, strict=True)


@pytest.mark.parametrize("kind", [GREY, PALETTE])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_masks_of_every_depth_are_read_as_the_numbers_that_were_written(tmp_path, bits, kind):
    numbers = (np.arange(5 * 2**bits) % 2**bits).astype(np.uint8).reshape(-1, 5)
    (tmp_path / "mask.png").write_bytes(raw_png(numbers, bits, kind))
    np.testing.assert_array_equal(read_labels(tmp_path / "mask.png"), numbers, strict=True)


def test_a_mask_in_colours_is_refused(tmp_path):
    Image.fromarray(voc_palette()[LABELS]).save(tmp_path / "mask.png")
    with pytest.raises(InputError, match=r"mask\.png: a mask is a palette.*came mode RGB"):
        read_labels(tmp_path / "mask.png")


def test_a_missing_or_damaged_mask_is_named(tmp_path):
    path = tmp_path / "mask.png"
    with pytest.raises(InputError, match=r"mask\.png: no such file"):
        read_labels(path)
    path.write_bytes(encode_png(np.tile(LABELS, (50, 50)))[:-30])
    with pytest.raises(InputError, match=r"mask\.png: cannot be read"):
        read_labels(path)
