"""Everything that may be wrong with a data set, one by one: what is done to it, what is said."""

import re
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ssr.data.check import check_dataset, check_masks
from ssr.data.images import load_image
from ssr.data.sightings import NAME
from ssr.errors import InputError


def save(folder, name, pixels, **options):
    Image.fromarray(pixels).save(folder.root / "images" / name, **options)


def cut(folder, name):
    path = folder.root / "images" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without_pixels(folder):
    """A PNG whose header says 0×0, and a file of no bytes."""
    path = folder.root / "images" / "b.png"
    content = path.read_bytes()
    path.write_bytes(content[:16] + struct.pack(">II", 0, 0) + content[24:])
    (folder.root / "images" / "c.png").write_bytes(b"")


def colours(folder):
    for path in (folder.root / "masks").glob("*.png"):
        Image.new("RGB", Image.open(path).size, (255, 0, 0)).save(path)


SPOILED = {
    "missing image": (
        lambda folder: (folder.root / "images" / "b.png").unlink(),
        "1 × missing image: {root}/images/b.png",
    ),
    "no image at all": (
        lambda folder: (folder.root / "images" / "b.png").write_text("not an image"),
        "1 × unreadable image: {root}/images/b.png: cannot be read as an image (.*)",
    ),
    "truncated PNG": (
        lambda folder: cut(folder, "c.png"),
        "1 × unreadable image: {root}/images/c.png: cannot be read as an image (.*)",
    ),
    "truncated JPEG": (
        lambda folder: cut(folder, "a.jpg"),
        "1 × unreadable image: {root}/images/a.jpg: cannot be read as an image (.*)",
    ),
    "image of 0 pixels": (
        without_pixels,
        "2 × unreadable image: {root}/images/b.png: .*, {root}/images/c.png: .*",
    ),
    "image of 1 pixel": (
        lambda folder: folder.add("dot.png", size=(1, 1)),
        "1 × image of less than two pixels a side: {root}/images/dot.png (1×1 pixels)",
    ),
    "missing mask": (
        lambda folder: folder.add("bare.png", "val", mask=False),
        "1 × missing mask: masks/bare.png",
    ),
    "mask of another size": (
        lambda folder: folder.add_mask("v", np.zeros((8, 6), np.uint8)),
        "1 × mask of another size than its image: masks/v.png (mask 8×6, image 6×8)",
    ),
    "mask value outside the classes": (
        lambda folder: folder.add_mask("v", np.full((6, 8), 3, np.uint8)),
        "1 × mask with values outside the classes: masks/v.png (value 3, allowed 0 to 2 and 255: "
        "data.classes lists all that masks show)",
    ),
    "mask that is no image": (
        lambda folder: (folder.root / "masks" / "v.png").write_text("no"),
        "1 × unreadable mask: {root}/masks/v.png: cannot be read as an image (.*)",
    ),
    "mask in colours that nothing explains": (
        colours,
        "4 × unreadable mask: {root}/masks/a.png: a mask is a palette or 8-bit greyscale PNG, "
        "came mode RGB, .*",
    ),
    "unknown label": (
        lambda folder: folder.add("z.png", labels="zebra;cat"),
        "1 × label not among data.classes: 'zebra' of z",
    ),
    "duplicate id": (
        lambda folder: folder.row("c.png"),
        "1 × duplicate id: c (2 times in train)",
    ),
    "two files of one id": (
        lambda folder: folder.add("a.png"),
        "1 × id of two files: a (a.jpg, a.png)",
    ),
    "id with a path": (
        lambda folder: folder.row("../up.png"),
        "1 × id that can't be the name of a file (.*): '../up'",
    ),
    "id without a name": (
        lambda folder: folder.row(""),
        "1 × id that can't be the name of a file (.*): ''",
    ),
    "image in two splits": (
        lambda folder: folder.row("v.png"),
        "1 × image in two splits: v (train, val)",
    ),
    "labels parted by commas": (
        lambda folder: folder.row("d.png", labels="cat,dog"),
        '1 × cell in a column without a name; labels share one cell, as "cat;dog": d.png (dog)',
    ),
}


def findings(settings, processes=1):
    with pytest.raises(InputError) as error:
        check_dataset(settings, processes)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def pattern(line, root):
    """A line of the report as a regular expression, in which only .* is one."""
    return re.escape(line.replace("{root}", str(root))).replace(r"\.\*", ".*")


@pytest.mark.parametrize("what", SPOILED)
def test_bad_input_is_said_with_count_and_file(folder, what):
    spoil, line = SPOILED[what]
    spoil(folder)
    said = findings(folder.settings())
    assert any(re.fullmatch(pattern(line, folder.root), one) for one in said), said


def test_the_data_set_of_these_tests_is_sound_itself(folder):
    assert check_dataset(folder.settings()).warnings == []


def test_an_empty_split_is_named(empty_folder):
    empty_folder.add("a.png")
    assert findings(empty_folder.settings()) == ["2 × empty split: tune, val"]


def test_a_colour_outside_the_map_is_named(folder):
    colours(folder)
    mapping = {"cat": "#ff0000", "background": "#000000"}
    check_dataset(folder.settings(mask_colours=mapping))
    said = findings(folder.settings(mask_colours={"background": "#000000"}))
    assert said[0].startswith("4 × mask with a colour outside data.mask_colours: masks/a.png (#ff")


def test_a_missing_folder_of_masks_is_named(folder):
    said = findings(folder.settings(masks="truth"))
    assert said == [
        f"1 × missing folder of masks (data.masks: null where there are none): {folder.root}/truth"
    ]


def test_black_and_white_masks_of_0_and_255_are_warned_of(folder):
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4] = 255
    folder.add_mask("v", mask)
    settings = folder.settings()
    warning, missing = check_masks(settings, check_dataset(settings).index).warnings
    assert missing.startswith("1 × class that labels name and masks lack")
    assert warning.startswith("1 × mask without a class: 255 means ignore")
    assert warning.endswith(": masks/v.png")


def test_all_kinds_come_in_one_report_and_nothing_is_written(folder):
    for spoil, _ in SPOILED.values():
        if spoil is not colours:  # which replaces what the others spoiled
            spoil(folder)
    command = [sys.executable, "-m", "workflow_scripts.index_dataset"]
    command += ["--data", folder.settings().canonical(), "--images", "{}"]
    out = folder.root / "out"
    command += ["--output", str(out / "index.parquet")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    kinds = re.findall(r"^  \d+ × ([^:]+):", done.stderr, re.MULTILINE)
    assert sorted(kinds) == [
        'cell in a column without a name; labels share one cell, as "cat;dog"',
        "duplicate id",
        "id of two files",
        "id that can't be the name of a file (one to 200 bytes of printable characters, no slash, "
        "no dot or dash in front)",
        "image in two splits",
        "image of less than two pixels a side",
        "label not among data.classes",
        "missing image",
        "missing mask",
        "unreadable image",
        "unreadable mask",
    ]
    assert [path.name for path in out.iterdir()] == [NAME]


def rotated(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(folder, "x.jpg", np.zeros((8, 6, 3), np.uint8), exif=exif)


NOISE = np.random.default_rng(0).integers(0, 256, (6, 8), np.uint8)
CONVERTED = {
    "greyscale": lambda folder: save(folder, "x.jpg", NOISE),
    "CMYK": lambda folder: Image.new("CMYK", (8, 6)).save(folder.root / "images" / "x.jpg"),
    "16 bits": lambda folder: save(folder, "x.png", NOISE.astype(np.uint16) << 8),
    "palette": lambda folder: (
        Image.fromarray(NOISE).convert("P").save(folder.root / "images" / "x.png")
    ),
    "black and white": lambda folder: save(folder, "x.png", NOISE > 99),
    "transparency": lambda folder: Image.new("RGBA", (8, 6)).save(folder.root / "images" / "x.png"),
    "rotated": rotated,
}


@pytest.mark.parametrize("what", CONVERTED)
def test_images_of_every_kind_are_converted(folder, what):
    CONVERTED[what](folder)
    (path,) = (folder.root / "images").glob("x.*")
    folder.row(path.name)
    folder.add_mask("x", np.ones((6, 8), np.uint8))
    image = check_dataset(folder.settings()).index.split("train")[-1]
    assert (image.id, image.height, image.width) == ("x", 6, 8)
    assert load_image(path).shape == (6, 8, 3)


def test_ids_may_differ_in_case_alone(folder):
    folder.add("A.png", mask=False)
    assert check_dataset(folder.settings()).index.split("train")[0].id == "A"
