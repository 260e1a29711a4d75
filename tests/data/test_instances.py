import json
import zipfile

import numpy as np
import pytest
from pycocotools.coco import COCO

from ssr.data.instances import Scene, draw_mask, read_scenes, write_labels, write_masks
from ssr.data.label_files import read_list
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


@pytest.mark.parametrize(
    "outline",
    [[], [[1, 2, 3]], {"size": [9, 9], "counts": "["}, {"size": [5, 5], "counts": [25]}, {}],
)
def test_an_outline_that_cannot_be_drawn_names_its_image(outline):
    scene = Scene("image_1", 9, 9, (1,), (outline,))
    with pytest.raises(InputError, match="an annotation of image_1 cannot be drawn"):
        draw_mask(scene)


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


def test_an_annotation_of_an_unknown_category_is_refused(path):
    shown = {1: [annotation(5, [polygon(1, 1, 5, 5)])]}
    with pytest.raises(InputError, match="an image or annotation has no valid 5"):
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
