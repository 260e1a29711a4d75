import struct

import numpy as np
import pytest
from PIL import Image

from ssr.data.images import (
    load_image,
    load_on_grid,
    measure_image,
    patch_grid,
    resize,
)
from ssr.errors import InputError
from tests.raw_png import COLOUR, raw_png

# Red left, blue right; a bright row on top, so that every turn can be told from the others.
RGB = np.zeros((6, 8, 3), np.uint8)
RGB[:, :4, 0] = 200
RGB[:, 4:, 2] = 200
RGB[:2, :, 1] = 100


def saved(path, image, **options):
    image.save(path, **options)
    return path


def size_of(path):
    measured = measure_image(path)
    return measured.height, measured.width


def test_rgb_is_read_as_it_is(tmp_path):
    image = load_image(saved(tmp_path / "a.png", Image.fromarray(RGB)))
    np.testing.assert_array_equal(image, RGB, strict=True)


def test_the_rotation_of_a_camera_is_applied(tmp_path):
    turned = Image.fromarray(np.rot90(RGB))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise by 90 degrees
    image = load_image(saved(tmp_path / "a.png", turned, exif=exif))
    np.testing.assert_array_equal(image, RGB, strict=True)


def test_greyscale_has_three_equal_channels(tmp_path):
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    image = load_image(saved(tmp_path / "a.png", Image.fromarray(grey)))
    np.testing.assert_array_equal(image, np.stack([grey] * 3, axis=-1), strict=True)


def test_a_palette_is_looked_up(tmp_path):
    palette = Image.fromarray(RGB).quantize(8)
    image = load_image(saved(tmp_path / "a.png", palette))
    np.testing.assert_array_equal(image, RGB, strict=True)


def test_transparency_is_dropped(tmp_path):
    alpha = np.full((6, 8, 1), 7, np.uint8)
    image = load_image(saved(tmp_path / "a.png", Image.fromarray(np.dstack([RGB, alpha]))))
    np.testing.assert_array_equal(image, RGB, strict=True)


def test_cmyk_is_converted(tmp_path):
    large = Image.fromarray(RGB).resize((80, 60), Image.Resampling.NEAREST)
    image = load_image(saved(tmp_path / "a.jpg", large.convert("CMYK"), quality=98))
    assert image.shape == (60, 80, 3)
    assert np.abs(image[5:-5, 5:35] - np.asarray(large, int)[5:-5, 5:35]).mean() < 10


RAMP = np.arange(48).reshape(6, 8)
DEPTH = "image of more than 8 bits, scaled by its largest value instead of 16 bits"
# The same brightness, 5 a step, in other numbers: how PIL takes them, and what is said of them.
DEEP = {
    "16 bits in 16": (RAMP * 1280, np.uint16, None),
    "12 bits in 16": (RAMP * 80, np.uint16, "up to 3760, as 12 bits"),
    "8 bits in 16": (RAMP * 5, np.uint16, "up to 235, as 8 bits"),
    "8 bits in 32": (RAMP * 5, np.int32, "up to 235, as 8 bits"),
    "16 bits in 32": (RAMP * 1280, np.int32, None),
    "24 bits in 32": (RAMP * 5 * 2**16, np.int32, "up to 1.5401e+07, as 24 bits"),
    "fractions": (RAMP * 5 / 255, np.float32, "up to 0.922, as fractions of 1"),
    "floats of 8 bits": (RAMP * 5, np.float32, "up to 235, as 8 bits"),
    "floats of 16 bits": (RAMP * 1280, np.float32, None),
}


@pytest.mark.parametrize(
    ("what", "suffix"),
    [(what, "tif") for what in DEEP] + [(what, "png") for what in DEEP if what.endswith("in 16")],
)
def test_a_deep_image_is_scaled_by_its_largest_value_and_said_so(tmp_path, what, suffix):
    values, kind, said = DEEP[what]
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(values.astype(kind)))
    np.testing.assert_array_equal(load_image(path), np.stack([RAMP * 5] * 3, -1))
    assert measure_image(path).doubts == (((DEPTH, said),) if said else ())


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize(
    ("scale", "said"),
    [
        (5, "up to 235, as 8 bits"),
        (1280, None),
        (5 * 2**24, "up to 3.94265e+09, as 32 bits"),
    ],
)
def test_numbers_of_32_bits_without_a_sign_are_not_taken_for_negative(
    tmp_path, compression, scale, said
):
    values = (RAMP * scale).astype(np.uint32).view(np.int32)
    path = saved(tmp_path / "a.tif", Image.fromarray(values), compression=compression)
    signed, unsigned = (struct.pack("<HHIHH", 339, 3, 1, sign, 0) for sign in (2, 1))
    assert path.read_bytes().count(signed) == 1
    path.write_bytes(path.read_bytes().replace(signed, unsigned))
    np.testing.assert_array_equal(load_image(path), np.stack([RAMP * 5] * 3, -1))
    assert measure_image(path).doubts == (((DEPTH, said),) if said else ())


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_a_negative_of_a_tiff_is_turned_into_a_picture(tmp_path, kind):
    path = saved(tmp_path / "a.tif", Image.fromarray((RAMP * 1280).astype(kind)), tiffinfo={262: 0})
    np.testing.assert_array_equal(load_image(path)[..., 0], 255 - RAMP * 5)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(-1, np.int32), (-0.5, np.float32), (np.nan, np.float32), (1e12, np.float32)],
)
def test_brightness_that_cannot_be_told_is_refused(tmp_path, value, kind):
    values = RAMP.astype(kind)
    values[2, 3] = value
    path = saved(tmp_path / "a.tif", Image.fromarray(values))
    for read in (load_image, measure_image):
        with pytest.raises(InputError, match=r"a\.tif: .*values of .* to .*, wanted 0 to 2\^32"):
            read(path)


@pytest.mark.parametrize("bits", [16, 14, 12, 8])
def test_of_deep_colours_the_upper_bits_must_be_used(tmp_path, bits):
    colours = RGB.astype(int) << (bits - 8)
    (tmp_path / "a.png").write_bytes(raw_png(colours, 16, COLOUR))
    if bits == 16:
        np.testing.assert_array_equal(load_image(tmp_path / "a.png"), RGB)
        return
    for read in (load_image, measure_image):
        with pytest.raises(InputError, match=r"a\.png: .*colours of 16 bits, of which it uses 14"):
            read(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1, "nearly black, no value above 1 of 255"),
        (15, "nearly black, no value above 15 of 255"),
        (16, None),
        (239, None),
        (250, "nearly white, no value below 250 of 255"),
    ],
)
def test_an_image_that_is_nearly_black_or_white_is_said_so(tmp_path, value, said):
    path = saved(tmp_path / "a.png", Image.new("RGB", (8, 6), (value,) * 3))
    doubts = measure_image(path).doubts
    assert doubts == ((("image nearly black or nearly white", said),) if said else ())


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_file_cut_short_is_refused(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for read in (load_image, measure_image):
        with pytest.raises(InputError, match=rf"a\.{suffix}: cannot be read as an image"):
            read(path)


@pytest.mark.parametrize("kept", [0.2, 0.9, 0.99])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_end_of_a_large_jpeg_is_looked_at_when_it_is_measured(tmp_path, kept, progressive):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    path = saved(tmp_path / "a.jpg", Image.fromarray(noise), progressive=progressive)
    assert size_of(path) == (300, 400)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(InputError, match="truncated"):
        measure_image(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_image(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(RGB), exif=exif)
    assert size_of(path) == load_image(path).shape[:2]
    assert size_of(path) == ((6, 8) if orientation < 5 else (8, 6))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_grey_tiff_is_turned_as_a_png_is(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    grey = Image.fromarray(RAMP.astype(np.uint8) * 5)
    wanted = load_image(saved(tmp_path / "a.png", grey, exif=exif))
    values = (RAMP * (5 if kind == np.uint8 else 1280)).astype(kind)
    path = saved(tmp_path / "a.tif", Image.fromarray(values), exif=exif)
    np.testing.assert_array_equal(load_image(path), wanted)
    assert size_of(path) == wanted.shape[:2]


def raw_exif(*entries):
    """EXIF of tags (number, type, count, value of at most four bytes), whatever is in them."""
    rows = (
        struct.pack("<HHI", *kind, count) + value.ljust(4, b"\0") for *kind, count, value in entries
    )
    head = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries))
    return head + b"".join(rows) + bytes(4)


ORIENTATION = (0x0112, 3, 1, struct.pack("<H", 6))


@pytest.mark.parametrize(
    "neighbour",
    [
        (0x0100, 2, 4, b"abc"),  # a width that is a text
        (0x0100, 9, 1, struct.pack("<i", -5)),  # a negative one
        (0x011A, 2, 4, b"abc"),  # a resolution that is a text
    ],
)
def test_odd_tags_beside_the_orientation_are_passed_over(tmp_path, neighbour):
    exif = raw_exif(*sorted([ORIENTATION, neighbour]))
    turned = Image.fromarray(np.rot90(RGB))
    path = saved(tmp_path / "a.png", turned, exif=exif)
    assert size_of(path) == (6, 8)
    np.testing.assert_array_equal(load_image(path), RGB, strict=True)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_image_is_refused(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png: cannot be read as an image"):
        load_image(tmp_path / "a.png")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"a\.png: no such file"):
        load_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("height", "width", "patch", "max_side", "grid"),
    [
        (375, 500, 16, None, (24, 32)),  # the usual VOC image
        (112, 112, 8, None, (14, 14)),
        (1, 17, 16, None, (1, 2)),
        (1000, 500, 16, 500, (32, 16)),  # 500 × 250
        (400, 300, 16, 500, (25, 19)),  # not enlarged
        (3000, 2, 16, 64, (4, 1)),
    ],
)
def test_sides_are_rounded_up_to_whole_patches(height, width, patch, max_side, grid):
    assert patch_grid(height, width, patch, max_side) == grid


def test_an_image_is_loaded_on_its_grid(tmp_path):
    path = saved(tmp_path / "a.png", Image.fromarray(RGB))
    assert load_on_grid(path, 4).shape == (8, 8, 3)
    assert load_on_grid(path, 4, max_side=4).shape == (4, 4, 3)
    np.testing.assert_array_equal(load_on_grid(path, 2), RGB)


def test_resizing_keeps_what_fits_and_averages_what_shrinks():
    assert resize(RGB, 6, 8) is RGB
    stripes = np.tile(np.array([0, 255], np.uint8)[:, None], (32, 64))[..., None].repeat(3, -1)
    small = resize(stripes, 16, 16)
    assert small.shape == (16, 16, 3)
    assert np.abs(small.astype(int) - 127).max() < 20  # without antialiasing: all 0 or all 255
