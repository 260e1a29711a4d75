import json

import pytest

from ssr.config import Data
from ssr.data.coco import labelled_folders, list_ids, mask_references, masked_folders, read_sources
from ssr.data.findings import Findings
from ssr.data.source import Source
from ssr.data.splits import split_ids
from ssr.errors import InputError
from tests.coco_folder import CLASSES, image_id, write_coco

TRAIN = [image_id("train2014", number) for number in range(1, 6)]
VAL = [image_id("val2014", number) for number in (1, 2)]


@pytest.fixture
def root(tmp_path):
    return write_coco(tmp_path / "COCO2014")


@pytest.fixture
def derived(tmp_path):
    """What derive_coco_labels makes of the instances files."""
    (tmp_path / "derived").mkdir()
    lines = [f"{TRAIN[0]} 0 2", f"{TRAIN[1]} 0 1", TRAIN[2], f"{TRAIN[3]} 1", f"{TRAIN[4]} 0 1"]
    (tmp_path / "derived/train2014.txt").write_text("\n".join(lines))
    (tmp_path / "derived/val2014.txt").write_text(f"{VAL[0]} 2\n{VAL[1]} 1\n")
    return tmp_path / "derived"


def settings(root, **changes):
    splits = {"train": "train2014", "tune": None, "val": "val2014", **changes.pop("splits", {})}
    values = {"format": "coco", "masks": "annotations", "tune_images": 1, "classes": CLASSES}
    return Data(**{**values, "root": str(root), "splits": splits, **changes})


def problems(settings, ids, derived):
    findings = Findings()
    read_sources(settings, ids, findings, derived)
    with pytest.raises(InputError) as error:
        findings.raise_problems("set")
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def test_a_folder_is_a_split(root):
    (root / "train2014" / "notes.md").touch()
    assert list_ids(settings(root)) == {"train": TRAIN, "tune": [], "val": VAL, "test": []}
    assert split_ids(settings(root))["tune"] == [TRAIN[2]]


def test_labels_come_from_the_lists_derived_from_the_instances_files(root, derived):
    assert labelled_folders(settings(root)) == ["train2014", "val2014"]
    sources = read_sources(settings(root), TRAIN[:3] + VAL, Findings(), derived)
    assert sources == {
        TRAIN[0]: Source(f"train2014/{TRAIN[0]}.jpg", ("person", "cup")),
        TRAIN[1]: Source(f"train2014/{TRAIN[1]}.jpg", ("person", "motorbike")),
        TRAIN[2]: Source(f"train2014/{TRAIN[2]}.jpg", ()),
        VAL[0]: Source(f"val2014/{VAL[0]}.jpg", ("cup",)),
        VAL[1]: Source(f"val2014/{VAL[1]}.jpg", ("motorbike",)),
    }


def test_a_list_is_a_split_with_labels_and_its_ids_name_the_folder(root, tmp_path):
    (root / "train.txt").write_text(f"{TRAIN[3]} 1\n{TRAIN[0]} 0 2\n")
    (root / "tune.txt").write_text(f"{VAL[1]}.jpg 1 9\n")
    own = settings(root, splits={"train": "train.txt", "tune": "tune.txt", "val": None})
    assert list_ids(own) == {"train": [TRAIN[3], TRAIN[0]], "tune": [VAL[1]], "val": [], "test": []}
    assert labelled_folders(own) == []
    assert masked_folders(own) == ["train2014", "val2014"]
    assert read_sources(own, [TRAIN[0], VAL[1]], Findings(), tmp_path) == {
        TRAIN[0]: Source(f"train2014/{TRAIN[0]}.jpg", ("person", "cup")),
        VAL[1]: Source(f"val2014/{VAL[1]}.jpg", ("motorbike", "9")),
    }


def test_labels_may_come_from_one_file(root, tmp_path):
    (root / "labels.json").write_text(json.dumps({TRAIN[0]: ["cup"]}))
    own = settings(root, labels_file="labels.json")
    assert labelled_folders(own) == []
    sources = read_sources(own, TRAIN[:2], Findings(), tmp_path)
    assert [source.labels for source in sources.values()] == [("cup",), ()]


def test_images_of_the_test_split_need_no_instances_file(root, derived):
    own = settings(root, splits={"val": None, "test": "val2014"})
    assert labelled_folders(own) == masked_folders(own) == ["train2014"]
    assert read_sources(own, VAL, Findings(), derived)[VAL[0]].labels == ()


def test_what_only_the_folder_or_the_instances_file_has_is_found(root, derived):
    (root / "train2014" / f"{TRAIN[1]}.jpg").rename(root / "train2014" / "stray.png")
    assert problems(settings(root), [TRAIN[0], "stray"], derived) == [
        f"1 × missing image: train2014/{TRAIN[1]}",
        "1 × image that instances_train2014.json does not list: train2014/stray.png",
    ]


def test_masks_are_members_of_the_archive_of_their_folder(tmp_path):
    sources = {TRAIN[0]: Source(f"train2014/{TRAIN[0]}.jpg", ())}
    assert mask_references(sources, tmp_path) == {
        TRAIN[0]: f"{tmp_path}/train2014.zip!{TRAIN[0]}.png"
    }


def test_masks_of_ones_own_need_no_instances_file(root):
    assert masked_folders(settings(root, masks="masks")) == []


@pytest.mark.parametrize(
    ("split", "message"),
    [("train2017", "train2017: no such folder of images"), ("t.txt", r"t\.txt: no such list")],
)
def test_a_missing_folder_or_list_is_named(root, split, message):
    with pytest.raises(InputError, match=message):
        list_ids(settings(root, splits={"train": split}))


def test_a_list_whose_ids_do_not_name_their_folder_is_refused(root):
    (root / "train.txt").write_text("000000000009 1\n")
    with pytest.raises(InputError, match="000000000009: in a list, ids name their folder"):
        list_ids(settings(root, splits={"train": "train.txt"}))
