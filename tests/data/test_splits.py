import re
import shutil
import subprocess
import sys

import pytest

from ssr.config import Backbones, Config, Data, Demo
from ssr.data.splits import (
    cam_list,
    required,
    shard_names,
    split_ids,
    usable_ids,
    without_missing_masks,
)
from ssr.errors import InputError
from tests.coco_folder import write_coco


def test_ids_are_sorted(folder):
    assert split_ids(folder.settings()) == {
        "train": ["a", "b", "c"],
        "tune": ["t"],
        "val": ["v"],
        "test": [],
    }


def test_repeated_ids_count_once(folder):
    folder.row("a.jpg")
    assert split_ids(folder.settings())["train"] == ["a", "b", "c"]


def test_images_to_tune_are_set_aside_evenly_from_train(empty_folder):
    for number in range(9):
        empty_folder.row(f"{number}.png")
    splits = {"train": "train", "tune": None, "val": "val"}
    ids = split_ids(empty_folder.settings(splits=splits, tune_images=3))
    assert ids["tune"] == ["1", "4", "7"]
    assert ids["train"] == ["0", "2", "3", "5", "6", "8"]


@pytest.mark.parametrize("count", [0, 1, 2, 5, 9, 12])
def test_as_many_images_are_set_aside_as_asked_for(empty_folder, count):
    for number in range(9):
        empty_folder.row(f"{number}.png")
    splits = {"train": "train", "tune": None, "val": "val"}
    ids = split_ids(empty_folder.settings(splits=splits, tune_images=count))
    assert len(ids["tune"]) == min(count, 9)
    assert sorted(ids["train"] + ids["tune"]) == [str(number) for number in range(9)]


def test_a_list_of_voc_is_a_split(voc_settings):
    assert split_ids(voc_settings) == {"train": ["a", "c"], "tune": ["b"], "val": ["v"], "test": []}


def test_the_demo_is_known_before_it_is_made(tmp_path):
    settings = Data(root=str(tmp_path / "absent"), demo=Demo(train=3, tune=1, val=2))
    assert split_ids(settings) == {
        "train": ["demo_000003", "demo_000004", "demo_000005"],
        "tune": ["demo_000002"],
        "val": ["demo_000000", "demo_000001"],
        "test": [],
    }


@pytest.mark.parametrize(("count", "shards"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)])
def test_shards_hold_images_of_one_split(count, shards):
    names = shard_names({"train": count, "val": 1}, 2)
    assert names == {
        "train": [f"train_{number:04d}" for number in range(shards)],
        "val": ["val_0000"],
    }


def config(data, **changes):
    return Config(**{"data": data.model_dump(), "labels": {"threshold": 0.5}, **changes})


def find_shards(config):
    counts = {split: len(ids) for split, ids in usable_ids(config).items()}
    return shard_names(counts, config.data.shard_size)


def test_shards_of_all_splits_are_found_at_once(folder):
    assert find_shards(config(folder.settings())) == {
        "train": ["train_0000", "train_0001"],
        "tune": ["tune_0000"],
        "val": ["val_0000"],
        "test": [],
    }


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"val": "other"}, r"data\.splits\.val: there is no image in other"),
        ({"test": "other"}, r"data\.splits\.test: there is no image in other"),
        ({"tune": None}, r"data\.splits\.tune: .* data\.tune_images is 0"),
        ({"val": None}, r"evaluation\.cam_split: there is no image in val"),
    ],
)
def test_a_split_that_is_needed_must_hold_images(folder, splits, message):
    with pytest.raises(InputError, match=message):
        find_shards(config(folder.settings(splits=splits)))


def test_images_are_left_to_learn_from(folder):
    settings = folder.settings(splits={"tune": None}, tune_images=9)
    with pytest.raises(InputError, match=r"data\.tune_images: 9 are set aside of the 3 in train"):
        find_shards(config(settings))


def test_clusters_are_no_more_than_the_images_to_learn_from(folder):
    data = folder.settings()
    methods = {"ssr": {}, "mine": {"prototypes": {"clusters": 4}}}
    usable_ids(config(data, prototypes={"clusters": 3}))
    usable_ids(config(data, prototypes={"clusters": 4}, alignment={"enabled": False}))
    with pytest.raises(InputError, match=r"clusters of method mine: at most 3, .*; came 4$"):
        usable_ids(config(data, methods=methods))
    many = folder.settings(classes=["cat", "dog", "cow", "hen"])
    with pytest.raises(InputError, match=r"came 4 \(null: one per class\)"):
        usable_ids(config(many))


def reported(data, name, split="train"):
    return config(data, evaluation={"cam_split": split, "cam_list": name})


def test_figures_of_cams_may_be_those_of_a_list(folder, voc_settings):
    assert cam_list(config(folder.settings())) is None
    assert cam_list(reported(voc_settings, "train")).endswith("ImageSets/Segmentation/train.txt")
    (folder.root / "some.txt").write_text("a 1\nelsewhere\n")
    find_shards(reported(folder.settings(), "some.txt"))
    with pytest.raises(InputError, match=r"cam_list: .*some\.txt names no image of val"):
        find_shards(reported(folder.settings(), "some.txt", "val"))
    with pytest.raises(InputError, match=r"cam_list: .*other\.txt: no such file"):
        find_shards(reported(folder.settings(), "other.txt"))


def test_without_masks_neither_tune_nor_val_is_needed(folder):
    settings = folder.settings(masks=None, splits={"tune": None, "val": None})
    assert required(settings) == ["train"]
    assert find_shards(config(settings))["val"] == []
    with pytest.raises(InputError, match=r"data\.splits\.train: there is no image in none"):
        find_shards(config(folder.settings(masks=None, splits={"train": "none"})))


def test_snakemake_can_ask_without_loading_anything_heavy():
    heavy = {"numpy", "torch", "pyarrow", "PIL"}
    program = f"import sys, ssr.data; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout == "[]\n"


def put_a_file(path):
    shutil.rmtree(path)
    path.write_text("")


@pytest.mark.parametrize("divided", [True, False])
@pytest.mark.parametrize(
    ("name", "setting"), [("", "data.root"), ("masks", "data.masks"), ("images", None)]
)
def test_a_file_where_a_folder_should_be_is_said_so(folder, name, setting, divided):
    if not divided:
        (folder.root / "labels.csv").write_text("image,labels\na.jpg,dog\nv.png,cat\n")
    put_a_file(folder.root / name)
    said = f"{folder.root / name}{f' ({setting})' if setting else ''}: wanted a folder, came a file"
    with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
        split_ids(folder.settings())


@pytest.mark.parametrize(
    "name",
    ["", "JPEGImages", "Annotations", "ImageSets", "ImageSets/Segmentation", "SegmentationClass"],
)
def test_a_file_where_voc_has_a_folder_is_said_so(voc, voc_settings, name):
    put_a_file(voc / name)
    with pytest.raises(InputError, match=rf"{name}.*: (wanted a folder, came a file|.*Not a dir)"):
        split_ids(voc_settings)


@pytest.mark.parametrize("name", ["", "annotations", "own_masks", "train2014"])
def test_a_file_where_coco_has_a_folder_is_said_so(tmp_path, name):
    root = write_coco(tmp_path / "coco")
    (root / "own_masks").mkdir()
    splits = {"train": "train2014", "tune": None, "val": "val2014"}
    put_a_file(root / name)
    said = rf"{name}.*: (wanted a folder, came a file|no such folder of images)$"
    with pytest.raises(InputError, match=said):
        split_ids(Data(format="coco", root=str(root), masks="own_masks", splits=splits))


@pytest.mark.parametrize("name", ["labels.csv", "ImageSets/Segmentation/train.txt", "train.txt"])
def test_a_folder_where_a_file_should_be_is_said_so(tmp_path, name):
    (tmp_path / name).mkdir(parents=True)
    form = {"labels.csv": "folder", "train.txt": "coco"}.get(name, "voc")
    splits = {"train": name if form == "coco" else "train"}
    with pytest.raises(InputError, match=rf"{name}: wanted a text file; Is a directory$"):
        split_ids(Data(format=form, root=str(tmp_path), splits=splits))


class TestWithoutAFolderOfMasks:
    """What `data.masks` becomes where there is no such folder."""

    def of(self, folder, threshold=0.5, **changes):
        clip = {"model": Backbones().clip.model, "weights": "random"}  # that knows these classes
        config = Config(
            data=folder.settings(**changes),
            labels={"threshold": threshold},
            backbones={"clip": clip},
        )
        return without_missing_masks(config).data.masks

    def test_a_folder_of_the_default_name_may_be_missing(self, folder):
        assert self.of(folder) == "masks"
        shutil.rmtree(folder.root / "masks")
        assert self.of(folder) is None

    def test_a_file_of_that_name_is_left_to_be_refused(self, folder):
        put_a_file(folder.root / "masks")
        assert self.of(folder) == "masks"

    def test_one_of_another_name_was_asked_for(self, folder):
        assert self.of(folder, masks="truth") == "truth"

    def test_that_of_the_demo_is_still_to_be_made(self, folder):
        shutil.rmtree(folder.root / "masks")
        assert self.of(folder, format="demo") == "masks"

    def test_where_the_whole_data_set_is_missing_that_is_said(self, folder):
        assert self.of(folder, root="nowhere") == "masks"

    def test_what_needs_masks_is_said(self, folder):
        shutil.rmtree(folder.root / "masks")
        with pytest.raises(InputError, match=r"set/masks: no such folder, .*\n.*labels\.threshold"):
            self.of(folder, threshold=None)
