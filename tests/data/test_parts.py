"""What changes in a part of a data set touches that part alone, and is noticed there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ssr.config import Data
from ssr.data import parts
from ssr.data.check import check_dataset
from ssr.data.originals import INDEX, KEPT, MASKS, index_files, kept_states, mask_files
from ssr.data.source import SPLITS
from ssr.data.splits import split_ids
from ssr.running.contents import Record


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEPT, "")


def states(data: Data, made: Path, **code: str) -> dict[str, str]:
    others = {path: [code[name]] for path, name in ((INDEX, "images"), (MASKS, "masks")) if code}
    found = kept_states(data, lambda: split_ids(data), str(made), starts=True, others=others)
    of_splits = {*SPLITS, *(f"masks of {split}" for split in SPLITS)}
    return {part: own for part, own in found.items() if part in of_splits or part[-4:].isdigit()}


def index(data: Data, made: Path) -> None:
    """Keep what the index stages see of the files."""
    for path, files in ((INDEX, index_files), (MASKS, mask_files)):
        names = files(data, split_ids(data))
        before = Record.read(made / path)
        Record.of("files", data.root, names, 1, before).write(made / path)


def said(data: Data) -> dict[str, list[object]]:
    """What the index says of each shard and split, and the contents of the masks of each split."""
    found: dict[str, list[object]] = {}
    for image in check_dataset(data).index.images:
        mask = Path(data.root, str(data.masks), f"{image.id}.png")
        content = Path(data.root, image.image).read_bytes()
        for part in (image.shard, image.split):
            found.setdefault(part, []).append((image, content))
        if mask.exists():
            found.setdefault(f"masks of {image.split}", []).append(mask.read_bytes())
    return found


def differences(before: dict, after: dict) -> set[str]:
    return {part for part in before | after if before.get(part) != after.get(part)}


def replace(path: Path, old: str, new: str) -> None:
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.encode()))


def replace_picture(root: Path) -> None:
    (root / "images/c.png").write_bytes((root / "images/b.png").read_bytes())


def touch_all(root: Path) -> None:
    for path in root.rglob("*"):
        os.utime(path, (1, 1))


def reverse_rows(root: Path) -> None:
    head, *rows = (root / "labels.csv").read_text().splitlines()
    (root / "labels.csv").write_text("\n".join([head, *reversed(rows)]))


# Of train_0000 (a, b), train_0001 (c), tune_0000 (t), val_0000 (v) and test_0000 (s).
TRAIN, NOTHING = {"train", "train_0000", "train_0001"}, set()
CHANGES = {
    "a test image": (
        lambda own: own.add("w.png", "test", mask=False),
        {"test", "test_0000", "masks of test"},
    ),
    "an image of val": (lambda own: own.add("w.png", "val"), {"val", "val_0000", "masks of val"}),
    "the last of train": (
        lambda own: own.add("d.png", mask=False),
        {"train", "train_0001", "masks of train"},
    ),
    "the first of train": (lambda own: own.add("0.png", mask=False), TRAIN | {"masks of train"}),
    "another label": (
        lambda own: replace(own.root / "labels.csv", "a.jpg,train,dog", "a.jpg,train,cat"),
        {"train", "train_0000"},
    ),
    "another picture": (lambda own: replace_picture(own.root), {"train", "train_0001"}),
    "another mask": (
        lambda own: own.add_mask("v", own.read_mask("v") * 0),
        {"masks of val"},
    ),
    "from train to val": (
        lambda own: replace(own.root / "labels.csv", "c.png,train", "c.png,val"),
        {"train", "train_0001", "masks of train", "val", "val_0000", "masks of val"},
    ),
    "other dates": (lambda own: touch_all(own.root), NOTHING),
    "rows in another order": (lambda own: reverse_rows(own.root), NOTHING),
    "a file that is in no split": (lambda own: (own.root / "images/x.png").touch(), NOTHING),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed_in_its_part_alone(folder, tmp_path, change):
    """By the first run behind it, and behind the index that this has made as well."""
    make, noticed = CHANGES[change]
    folder.add("s.png", "test", mask=False)
    data = folder.settings(splits={"test": "test"})
    before, was = states(data, tmp_path), said(data)
    index(data, tmp_path)
    assert states(data, tmp_path) == before
    make(folder)
    after = states(data, tmp_path)
    assert differences(before, after) == noticed >= differences(was, said(data))
    index(data, tmp_path)
    assert states(data, tmp_path) == after


@pytest.mark.parametrize(
    ("file", "old", "new", "noticed"),
    [
        ("Annotations/a.xml", "cat", "dog", {"train", "train_0000"}),
        ("Annotations/v.xml", "dog", "cat", {"val", "val_0000"}),
        ("ImageSets/Segmentation/train.txt", "c", "x", {"train", "train_0000", "masks of train"}),
    ],
)
def test_voc(voc, voc_settings, tmp_path, file, old, new, noticed):
    before = states(voc_settings, tmp_path)
    replace(voc / file, old, new)
    assert differences(before, states(voc_settings, tmp_path)) == noticed


def test_a_list_of_test_images_can_be_added_to_a_finished_run(voc, voc_settings, tmp_path):
    """No image trains or is evaluated anew for it, though settings of the data set change."""
    before = states(voc_settings, tmp_path)
    (voc / "ImageSets/Segmentation/new.txt").write_text("v2\n")
    (voc / "JPEGImages/v2.jpg").write_bytes((voc / "JPEGImages/v.jpg").read_bytes())
    splits = voc_settings.splits.model_copy(update={"test": "new"})
    more = voc_settings.model_copy(update={"splits": splits})
    changed = differences(before, states(more, tmp_path))
    assert changed == {"test", "test_0000", "masks of test"}


@pytest.mark.parametrize("changes", [{"classes": ("dog", "cat")}, {"masks": None}])
def test_settings_count_where_the_index_follows_from_them(folder, tmp_path, changes):
    before = states(folder.settings(), tmp_path)
    changed = differences(before, states(folder.settings(**changes), tmp_path))
    assert ("train_0000" in changed) == ("classes" in changes)
    assert "masks of val" in changed


@pytest.mark.parametrize("changed", ["images", "masks"])
def test_code_of_an_index_counts_for_all_of_it_and_for_nothing_else(folder, tmp_path, changed):
    code = {"images": "its code", "masks": "its code"}
    before = states(folder.settings(), tmp_path, **code)
    after = states(folder.settings(), tmp_path, **{**code, changed: "other code"})
    of_masks = {part for part in before if part.startswith("masks")}
    assert differences(before, after) == (of_masks if changed == "masks" else {*before} - of_masks)


def test_for_very_many_shards_stands_their_split(folder, tmp_path, monkeypatch):
    """A run hands what stands for them to its jobs in their environment, which is limited."""
    monkeypatch.setattr(parts, "_MOST_SHARDS", 3)
    found = states(folder.settings(), tmp_path)
    assert {*found} == {*SPLITS, *(f"masks of {split}" for split in SPLITS)}


def test_the_parts_of_very_large_sets_are_not_told_apart(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "_MOST_IMAGES", 4)
    assert states(folder.settings(), tmp_path) == {}
