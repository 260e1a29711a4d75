import json
import zipfile

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

from ssr.data.instances import Scene, draw_mask, read_scenes, write_labels, write_masks
from ssr.data.label_files import read_list
from ssr.data.outlines import run_lengths
from ssr.data.pngs import open_pngs
from ssr.errors import InputError
from tests import coco_folder
from tests.coco_folder import CLASSES, LABELS, SHOWN, SIZE, annotation, polygon


@pytest.fixture
def path(tmp_path):
    return coco_folder.write_coco(tmp_path) / "annotations" / "instances_train2014.json"


@pytest.fixture
def scenes(path):
    return read_scenes(path, CLASSES)


def read(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_scenes(path, CLASSES)


def drawn_by_pycocotools(path, number):
    """Straight from the file: smaller areas are drawn last."""
    coco = COCO(str(path))
    indices = {category: index for index, category in enumerate(sorted(coco.getCatIds()), 1)}
    annotations = coco.loadAnns(sorted(coco.getAnnIds(imgIds=[number])))
    masks = [(coco.annToMask(own), indices[own["category_id"]]) for own in annotations]
    result = np.zeros(SIZE, np.uint8)
    for mask, index in sorted(masks, key=lambda pair: pair[0].sum(), reverse=True):
        result[mask == 1] = index
    return result


@pytest.mark.parametrize("number", SHOWN)
def test_masks_are_those_of_pycocotools(path, scenes, number):
    mask = draw_mask(scenes[number - 1])
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, drawn_by_pycocotools(path, number))


def test_the_smaller_of_two_objects_is_seen_whatever_the_order(scenes):
    mask = draw_mask(scenes[0])
    assert mask[15, 15] == 3  # cup, listed before the person
    assert mask[32, 32] == 3  # cup, listed after the person
    assert mask[25, 25] == 1


def test_a_crowd_is_drawn_beneath_smaller_things_and_counts_as_a_label(scenes):
    mask = draw_mask(scenes[1])
    assert (mask[10, 10], mask[24, 40], mask[35, 10]) == (1, 2, 0)
    assert scenes[3].classes == (2,)


def test_of_equally_large_objects_the_later_one_is_seen(scenes):
    assert draw_mask(scenes[4])[20, 25] == 2


def test_an_image_without_annotation_is_background(scenes):
    assert scenes[2].classes == ()
    assert not draw_mask(scenes[2]).any()


def test_labels_are_contiguous_indices_in_the_order_of_the_category_ids(tmp_path, scenes):
    write_labels(tmp_path / "train2014.txt", scenes)
    assert read_list(tmp_path / "train2014.txt") == {
        coco_folder.image_id("train2014", number): own for number, own in LABELS.items()
    }


@pytest.mark.parametrize("processes", [1, 2])
def test_masks_of_a_list_become_one_zip_of_the_same_bytes(tmp_path, scenes, processes):
    write_masks(tmp_path / "a.zip", scenes, 1)
    write_masks(tmp_path / "b.zip", scenes, processes)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    masks = open_pngs([tmp_path / "b.zip"])
    assert masks.ids == [scene.id for scene in scenes]
    np.testing.assert_array_equal(masks.read(scenes[0].id), draw_mask(scenes[0]))
    assert all(entry.date_time[0] == 1980 for entry in zipfile.ZipFile(tmp_path / "b.zip").filelist)


def filled(counts):
    """Run lengths of an image of 9 × 9 pixels."""
    return {"size": [9, 9], "counts": counts}


def in_text(*counts):
    """Run lengths as COCO's string of them, which may promise more or fewer pixels than 81."""
    shape = rle.frPyObjects({"size": [1, sum(counts)], "counts": list(counts)}, 1, sum(counts))
    return filled(shape["counts"].decode())


WRONG = {
    "no outline": (None, "it has no outline"),
    "an empty list": ([], "it has no outline"),
    "no corner": ([[]], "a polygon has 0 numbers, wanted two for each of its corners"),
    "two corners": ([[1, 2, 3, 4]], "a polygon has 4 numbers, wanted two for each of its corners"),
    "half a corner": ([[1, 2, 3, 4, 5, 6, 7]], "a polygon has 7 numbers, wanted two"),
    "a second polygon of two corners": ([polygon(1, 1, 5, 5), [1, 2, 3, 4]], "has 4 numbers"),
    "a polygon in no list": ([1, 2, 3, 4, 5, 6], "a polygon is a list of x, y, x, y, …, in a list"),
    "outside": ([polygon(10, 2, 17, 8)], "lies outside its image of 9×9 pixels"),
    "above": ([polygon(2, -8, 4, -1)], "lies outside its image of 9×9 pixels"),
    "far outside": ([polygon(1, 1, 500, 8)], "a polygon leaves its image of 9×9 pixels"),
    "run lengths of its box": (
        {"size": [5, 5], "counts": [25]},
        r"its size is \[5, 5\], its image",
    ),
    "too few": (filled([10, 20]), "run lengths add up to 30 pixels, its size to 81"),
    "too many": (filled([10, 72]), "run lengths add up to 82 pixels, its size to 81"),
    "none": (filled([]), "run lengths add up to 0 pixels, its size to 81"),
    "negative": (filled([100, -19]), "a run length is -19, wanted a number of pixels"),
    "fractions": (filled([10.5, 70.5]), "a run length is 10.5, wanted a number of pixels"),
    "too few in text": (in_text(10, 20), "run lengths add up to 30 pixels, its size to 81"),
    "too many in text": (in_text(10, 5, 30, 2, 90), "run lengths add up to 137 pixels"),
    "another text": (filled("["), "its run lengths are cut short"),
    "no text of run lengths": (filled("ü"), "is no part of run lengths"),
    "nothing of COCO": ({"corners": 3}, "'size'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_outline_that_cannot_be_drawn_names_annotation_image_and_reason(what):
    outline, reason = WRONG[what]
    scene = Scene("image_1", 9, 9, (31, 32), (1, 1), ([polygon(1, 1, 5, 5)], outline))
    with pytest.raises(InputError, match=rf"annotation 32 of image_1 cannot be drawn \(.*{reason}"):
        draw_mask(scene)


@pytest.mark.parametrize("counts", [(0, 81), (81,), (10, 5, 30, 2, 34), (7, 0, 3, 71), (1,) * 81])
def test_run_lengths_are_read_as_pycocotools_reads_them(counts):
    assert run_lengths(in_text(*counts)["counts"]) == list(counts)
    drawn = [
        draw_mask(Scene("a", 9, 9, (5,), (2,), (one,)))
        for one in (filled(list(counts)), in_text(*counts))
    ]
    alternating = [2 * (number % 2) for number in range(len(counts))]
    wanted = np.repeat(alternating, counts).reshape(9, 9).T
    np.testing.assert_array_equal(drawn[0], wanted)
    np.testing.assert_array_equal(drawn[1], wanted)


def test_all_masks_that_cannot_be_drawn_come_in_one_report_and_no_file_appears(path, tmp_path):
    shown = {n: [annotation(1, [polygon(1, 1, 5, 5)]), annotation(1, [])] for n in (1, 2)}
    scenes = read(path, coco_folder.instances("train2014", shown))
    with pytest.raises(InputError) as error:
        write_masks(tmp_path / "train2014.zip", scenes, 1)
    head, line = str(error.value).splitlines()
    assert head == "the data set train2014 cannot be used:"
    assert line.startswith(
        "  2 × image whose mask cannot be drawn: annotation 101 of COCO_train2014_"
    )
    assert not (tmp_path / "train2014.zip").exists()


def test_labels_need_no_outlines(path, tmp_path):
    boxes = [annotation(47, []), {"category_id": 1, "bbox": [1, 1, 4, 4]}]
    scenes = read(path, coco_folder.instances("train2014", {1: boxes}))
    write_labels(tmp_path / "train2014.txt", scenes)
    assert read_list(tmp_path / "train2014.txt") == {scenes[0].id: (0, 2)}


def test_two_images_of_one_name_are_refused(path):
    content = coco_folder.instances("train2014", {1: [], 2: []})
    for image in content["images"]:
        image["file_name"] = "a.jpg"
    with pytest.raises(InputError, match=r"instances_train2014\.json: two images are called a"):
        read(path, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no instances file of COCO"),
        ("[]", "is no instances file of COCO"),
        ({"images": [], "annotations": []}, "names no images or no categories"),
    ],
)
def test_a_file_of_another_kind_is_refused(path, content, message):
    with pytest.raises(InputError, match=rf"instances_train2014\.json: {message}"):
        read(path, content)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"instances_x\.json: no such file"):
        read_scenes(tmp_path / "instances_x.json", CLASSES)
    (tmp_path / "instances_x.json").mkdir()
    with pytest.raises(InputError, match=r"is no instances file of COCO \(.*Is a directory"):
        read_scenes(tmp_path / "instances_x.json", CLASSES)


def test_an_annotation_of_an_unknown_category_is_refused(path):
    shown = {1: [annotation(5, [polygon(1, 1, 5, 5)])]}
    with pytest.raises(InputError, match="an image, category or annotation has no valid 5"):
        read(path, coco_folder.instances("train2014", shown))


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("person", "cup"), "has 3 categories, data.classes has 2"),
        (("person", "cup", "motorbike"), "'motorcycle' is 'cup'"),
    ],
)
def test_classes_that_do_not_follow_the_categories_are_refused(path, classes, message):
    with pytest.raises(InputError, match=message):
        read_scenes(path, classes)
