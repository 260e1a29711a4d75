import numpy as np
import pytest
from PIL import Image as PilImage

from ssr.config import Images
from ssr.data.check import check_dataset, check_masks
from ssr.data.ids import ALLOWED
from ssr.data.index import Image
from ssr.data.splits import shard_names, split_ids
from ssr.errors import InputError


def problems(settings, processes=1, **options):
    """The lines of the report, which must come."""
    with pytest.raises(InputError) as error:
        check_dataset(settings, processes, **options)
    first, *lines = str(error.value).splitlines()
    assert first == f"the data set {settings.root} cannot be used:"
    return [line.strip() for line in lines]


def checked_masks(settings):
    """The masks, held against the index of a sound data set."""
    return check_masks(settings, check_dataset(settings).index)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_sound_data_set_is_indexed(folder, processes):
    checked = check_dataset(folder.settings(), processes)
    assert checked.index.images == (
        Image("a", "images/a.jpg", 7, 5, "train", (2,), "train_0000"),
        Image("b", "images/b.png", 8, 6, "train", (1,), "train_0000"),
        Image("c", "images/c.png", 8, 6, "train", (1, 2), "train_0001"),
        Image("t", "images/t.png", 8, 6, "tune", (2,), "tune_0000"),
        Image("v", "images/v.png", 8, 6, "val", (1,), "val_0000"),
    )
    assert checked.masks.references == {i: f"masks/{i}.png" for i in ("a", "c", "t", "v")}
    assert checked.warnings == []


def test_voc_is_indexed_with_images_set_aside_to_tune(voc_settings):
    checked = check_dataset(voc_settings)
    assert [(image.id, image.split, image.labels) for image in checked.index.images] == [
        ("a", "train", (1,)),
        ("c", "train", (2,)),
        ("b", "tune", (1, 2)),
        ("v", "val", (2,)),
    ]
    assert checked.masks.references["v"] == "SegmentationClass/v.png"


@pytest.mark.parametrize(
    ("tune", "first"), [("b\na\nc\n", "a (train, tune)"), ("v\n", "v (tune, val)")]
)
def test_a_list_to_tune_by_is_apart_from_those_of_train_and_val(voc, voc_settings, tune, first):
    (voc / "tune.txt").write_text(tune)
    (voc / "rest.txt").write_text("c\na\n")
    splits = voc_settings.splits.model_copy(update={"train": "rest.txt", "tune": "tune.txt"})
    (said,) = problems(voc_settings.model_copy(update={"splits": splits}))
    assert f"image in two splits: {first}" in said


def test_the_index_has_the_ids_and_shards_that_were_known_before(folder):
    settings = folder.settings()
    ids = split_ids(settings)
    shards = shard_names({split: len(own) for split, own in ids.items()}, settings.shard_size)
    index = check_dataset(settings).index
    for split in ids:
        assert [image.id for image in index.split(split)] == ids[split]
        assert list(dict.fromkeys(image.shard for image in index.split(split))) == shards[split]


def test_the_size_is_that_of_the_upright_image(folder):
    exif = PilImage.Exif()
    exif[0x0112] = 6
    folder.add("r.jpg", mask=False)
    PilImage.new("RGB", (30, 20)).save(folder.root / "images" / "r.jpg", exif=exif)
    folder.add_mask("r", np.zeros((30, 20), np.uint8))
    image = check_dataset(folder.settings()).index.split("train")[-1]
    assert (image.id, image.width, image.height) == ("r", 20, 30)


@pytest.mark.parametrize("processes", [1, 2])
def test_everything_wrong_comes_in_one_report(folder, processes):
    folder.row("missing.png")
    folder.add("short.png", size=(60, 60))
    short = folder.root / "images" / "short.png"
    short.write_bytes(short.read_bytes()[:2000])
    folder.add("dot.png", size=(1, 1))
    folder.add("zebra.png", labels="zebra;cat")
    folder.add("c.jpg")
    folder.row("../up.png")
    folder.row("v.png")
    folder.add("large.png", "val")
    folder.add_mask("large", np.zeros((6, 9), np.uint8))
    folder.add("odd.png", "val")
    folder.add_mask("odd", np.full((6, 8), 3, np.uint8))
    folder.add("bare.png", "val", mask=False)
    folder.add("colours.png", "tune")
    PilImage.new("RGB", (8, 6)).save(folder.root / "masks" / "colours.png")
    root = folder.root
    assert problems(folder.settings(), processes) == [
        "1 × duplicate id: c (2 times in train)",
        f"1 × id that can't be the name of a file ({ALLOWED}): '../up'",
        "1 × image in two splits: v (train, val)",
        "1 × id of two files: c (c.png, c.jpg)",
        "1 × label not among data.classes: 'zebra' of zebra",
        f"1 × image of less than two pixels a side: {root}/images/dot.png (1×1 pixels)",
        f"1 × missing image: {root}/images/missing.png",
        f"1 × unreadable image: {root}/images/short.png: cannot be read as an image "
        "(image file is truncated)",
        "1 × missing mask: masks/bare.png",
        f"1 × unreadable mask: {root}/masks/colours.png: a mask is a palette or 8-bit greyscale "
        "PNG, came mode RGB",
        "1 × mask of another size than its image: masks/large.png (mask 6×9, image 6×8)",
        "1 × mask with values outside the classes: masks/odd.png (value 3, allowed 0 to 2 and 255: "
        "data.classes lists all that masks show)",
    ]


def test_ignored_pixels_are_allowed_in_masks(folder):
    folder.add_mask("v", np.full((6, 8), 255, np.uint8))
    assert "v" in check_dataset(folder.settings()).masks.ids


def test_masks_of_train_are_checked_where_they_exist(folder):
    folder.add_mask("a", np.full((5, 7), 9, np.uint8))
    assert problems(folder.settings())[0].startswith("1 × mask with values outside the classes")


def test_images_without_a_label_are_kept_and_said_so(folder):
    folder.add("n.png", labels="")
    checked = check_dataset(folder.settings())
    assert checked.index.split("train")[-1].labels == ()
    assert checked.warnings == [
        "1 × image without a label, kept for prediction, left out of training: n"
    ]


def test_a_train_split_without_any_label_is_refused(empty_folder):
    for name, split in (("a", "train"), ("t", "tune"), ("v", "val")):
        empty_folder.add(f"{name}.png", split, labels="")
    assert problems(empty_folder.settings()) == ["1 × split without any label: train"]


def test_a_class_that_nothing_can_be_learned_of_is_said_so(folder):
    checked = check_dataset(folder.settings(classes=("cat", "dog", "cow")))
    assert checked.warnings == ["1 × class without an image in train: cow"]


def test_a_data_set_may_have_no_masks_and_then_needs_neither_tune_nor_val(empty_folder):
    empty_folder.add("a.png", mask=False)
    empty_folder.add("b.png", labels="dog", mask=False)
    settings = empty_folder.settings(masks=None)
    checked = checked_masks(settings)
    assert [image.split for image in checked.index.images] == ["train", "train"]
    assert not checked.masks.ids
    assert checked.warnings == [
        f"1 × data set without masks: nothing is tuned or evaluated: {settings.root}"
    ]


def test_images_that_nothing_uses_without_masks_are_named(folder):
    warnings = checked_masks(folder.settings(masks=None)).warnings
    assert "2 × image of tune or val, not used without masks: t, v" in warnings


def test_masks_may_be_pictures_in_colours(folder):
    for path in (folder.root / "masks").glob("*.png"):
        PilImage.new("RGB", PilImage.open(path).size, (0, 0, 128)).save(path)
    colours = {"dog": "#000080", "background": "#000000", "ignore": "#e0e0c0"}
    masks = check_dataset(folder.settings(mask_colours=colours)).masks
    assert masks.colours == {0x000080: 2, 0: 0, 0xE0E0C0: 255}
    assert masks.load("v").tolist() == [[2] * 8] * 6


@pytest.mark.parametrize(("patch", "learned"), [(4, ["b", "big"]), (8, ["big"])])
def test_an_image_of_a_single_patch_is_left_out_of_training(empty_folder, patch, learned):
    """Its only activation is its largest and its smallest: it would be called background."""
    empty_folder.add("b.png")
    empty_folder.add("big.png", size=(4, 9))
    for split in ("tune", "val"):
        empty_folder.add(f"{split}.png", split)
    classes = {"classes": ("cat",)}
    methods = [Images(patch=2), Images(patch=patch)]
    checked = check_dataset(empty_folder.settings(**classes), images=methods)
    assert [image.id for image in checked.index.split("train") if image.labels] == learned
    assert checked.index.split("val")[0].labels == (1,)
    said = ["1 × image of a single patch, left out of training: b"]
    assert checked.warnings == ([] if "b" in learned else said)


def test_a_train_split_of_single_patches_is_refused(folder):
    assert problems(folder.settings(), images=[Images(patch=8)]) == [
        "1 × split whose labelled images are all of a single patch: train"
    ]


def test_masks_that_contradict_the_labels_are_refused(empty_folder):
    for number in range(4):
        for split in ("train", "tune", "val"):
            empty_folder.add(f"{split}{number}.png", split, "cat" if number else "dog")
    assert checked_masks(empty_folder.settings()).warnings == []
    (line,) = problems(empty_folder.settings(classes=("dog", "cat")))
    assert line.startswith("2 × class that masks show and labels lack, so that hardly a mask fits")
    assert line.endswith(
        "in 12 of 12 images: dog in place of cat (9, such as train1), "
        "cat in place of dog (3, such as train0)"
    )


def test_masks_are_held_against_the_index_alone(folder):
    settings = folder.settings()
    index = check_dataset(settings).index
    (folder.root / "images" / "a.jpg").unlink()
    checked = check_masks(settings, index)
    assert (checked.index, checked.warnings) == (index, [])
    assert checked.masks.ids == {"a", "c", "t", "v"}
    folder.add_mask("a", np.zeros((5, 8), np.uint8))
    with pytest.raises(InputError, match="mask of another size than its image: masks/a"):
        check_masks(settings, index)


def test_what_masks_and_labels_do_not_share_is_warned_of(folder):
    folder.add_mask("v", np.full((6, 8), 2, np.uint8))
    folder.add_mask("t", np.zeros((6, 8), np.uint8))
    assert checked_masks(folder.settings()).warnings == [
        "1 × class that masks show and labels lack, in 1 of 4 images: "
        "dog in place of cat (1, such as v)",
        "1 × class that labels name and masks lack, in 1 of 4 images: dog (1, such as t)",
    ]


def test_the_demo_is_read_from_its_table_whatever_its_counts(folder):
    checked = check_dataset(folder.settings(format="demo"))
    assert [image.id for image in checked.index.images] == ["a", "b", "c", "t", "v"]
