import numpy as np
import pytest

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.folder import list_ids, read_sources
from ssr.data.source import Source
from ssr.errors import InputError


def test_ids_are_the_file_names_without_suffix(folder):
    assert list_ids(folder.settings()) == {
        "train": ["c", "a", "b"],
        "tune": ["t"],
        "val": ["v"],
        "test": [],
    }


def test_splits_may_have_other_names(empty_folder):
    empty_folder.add("a.png", "fit")
    empty_folder.add("b.png", "held out")
    settings = empty_folder.settings(splits={"train": "fit", "tune": None, "val": "held out"})
    assert list_ids(settings) == {"train": ["a"], "tune": [], "val": ["b"], "test": []}


def test_labels_are_separated_by_semicolons(folder):
    folder.row("d.png", labels=" cat ; ;dog;")
    folder.row("e.png", labels="")
    sources = read_sources(folder.settings(), ["a", "c", "d", "e"], Findings())
    assert sources == {
        "a": Source("images/a.jpg", ("dog",)),
        "c": Source("images/c.png", ("cat", "dog")),
        "d": Source("images/d.png", ("cat", "dog")),
        "e": Source("images/e.png", ()),
    }


def test_a_byte_order_mark_and_more_columns_are_no_problem(folder):
    table = folder.root / "labels.csv"
    table.write_text("note,labels,image,split\nx,cat,a.png,train\n", encoding="utf-8-sig")
    assert list_ids(folder.settings())["train"] == ["a"]


def test_images_of_other_splits_are_left_out_with_a_warning(folder):
    folder.row("x.png", split="trian")
    findings = Findings()
    sources = read_sources(folder.settings(), ["a"], findings)
    assert sources.keys() == {"a"}
    assert findings.warnings == ["1 × image whose split is not used: x.png ('trian')"]


def test_an_image_in_a_used_and_an_unused_split_is_a_problem(folder):
    folder.row("a.jpg", "other", "cat")
    findings = Findings()
    read_sources(folder.settings(), ["a"], findings)
    said = r"1 × image in a used and an unused split: a\.jpg \(train, other\)$"
    with pytest.raises(InputError, match=said):
        findings.raise_problems("set")


def test_a_column_that_divides_the_images_is_called_split(folder):
    (folder.root / "labels.csv").write_text("image,labels,subset\na.jpg,cat,train\n")
    with pytest.raises(InputError, match=r"labels\.csv: the column subset \(train\) is not read"):
        list_ids(folder.settings())


def test_a_missing_table_is_named(folder):
    (folder.root / "labels.csv").unlink()
    with pytest.raises(InputError, match=r"set/labels\.csv: no such file"):
        list_ids(folder.settings())


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("image,split", "missing: labels; came image,split"),
        ("name,labels", "missing: image; came"),
        ("image|labels", r"missing: image, labels; came image\|labels"),
        ("", "came nothing"),
    ],
)
def test_missing_columns_are_named(folder, header, missing):
    (folder.root / "labels.csv").write_text(f"{header}\n")
    with pytest.raises(InputError, match=f"must name image and labels, .*{missing}"):
        list_ids(folder.settings())


def test_the_column_of_labels_may_be_called_label(folder):
    (folder.root / "labels.csv").write_text("image,label,split\na.jpg, cat;dog ,train\n\n")
    assert list_ids(folder.settings())["train"] == ["a"]
    sources = read_sources(folder.settings(), ["a"], Findings())
    assert sources["a"].labels == ("cat", "dog")


def table_without_splits(folder, names):
    lines = "".join(f"{name}.png,cat\n" for name in names)
    (folder.root / "labels.csv").write_text(f"image,labels\n{lines}")


class TestWithoutSplits:
    """A labels.csv without a column split."""

    def test_images_with_a_mask_go_to_tune_and_val_in_turn(self, empty_folder):
        for name in "bdfe":
            empty_folder.add_mask(name, np.zeros((2, 2), np.uint8))
        table_without_splits(empty_folder, "hgfedcba")
        assert list_ids(empty_folder.settings()) == {
            "train": ["h", "g", "c", "a"],
            "tune": ["e", "b"],
            "val": ["f", "d"],
            "test": [],
        }

    def test_half_of_the_images_train_even_if_all_have_a_mask(self, empty_folder):
        names = "abcdefghij"
        for name in names:
            empty_folder.add_mask(name, np.zeros((2, 2), np.uint8))
        table_without_splits(empty_folder, names)
        splits = list_ids(empty_folder.settings())
        assert splits["train"] == ["b", "d", "f", "h", "j"]
        assert splits["tune"] == ["a", "e", "i"]
        assert splits["val"] == ["c", "g"]

    def test_without_masks_all_train(self, empty_folder):
        table_without_splits(empty_folder, "ba")
        found = list_ids(empty_folder.settings(masks=None))
        assert found == {"train": ["b", "a"], "tune": [], "val": [], "test": []}

    def test_too_few_masks_are_said_so(self, empty_folder):
        table_without_splits(empty_folder, "abcd")
        empty_folder.add_mask("c", np.zeros((2, 2), np.uint8))
        with pytest.raises(InputError, match=r"no column split, so tune and val .* came 1 of 4"):
            list_ids(empty_folder.settings())


def test_a_row_with_more_cells_than_the_header_is_a_finding(folder):
    folder.row("d.png", labels="cat,dog")
    findings = Findings()
    read_sources(folder.settings(), ["d"], findings)
    with pytest.raises(InputError, match=r"cell in a column without a name; .*: d\.png \(dog\)"):
        findings.raise_problems("set")


def test_files_that_share_an_id_are_a_finding(folder):
    folder.row("a.png")
    folder.row("A.png")
    findings = Findings()
    read_sources(folder.settings(), ["a", "A"], findings)
    with pytest.raises(InputError, match=r"1 × id of two files: a \(a\.jpg, a\.png\)$"):
        findings.raise_problems("set")


def test_files_without_a_row_are_named(folder):
    for name in ("new.png", ".DS_Store"):
        (folder.root / "images" / name).touch()
    findings = Findings()
    read_sources(folder.settings(), ["a"], findings)
    assert findings.warnings == [
        "1 × file in images/ without a row in labels.csv, not used: new.png"
    ]


def test_files_that_are_the_mask_of_no_image_are_named(folder):
    folder.row("u.png", split="unused")
    for name in ("a.PNG", "a_mask.png", "a.jpg.png", "u.png", "x.png", ".DS_Store"):
        (folder.root / "masks" / name).touch()
    findings = Findings()
    read_sources(folder.settings(), ["a"], findings)
    assert findings.warnings == [
        "1 × image whose split is not used: u.png ('unused')",
        "4 × file in masks/ that is the mask of no image ({id}.png), not used: "
        "a.PNG, a.jpg.png, a_mask.png, x.png",
    ]


def test_masks_of_other_names_are_mentioned_where_masks_are_too_few(empty_folder):
    for name in "abcd":
        empty_folder.add(f"{name}.png", mask=False)
        (empty_folder.root / "masks" / f"{name}_mask.png").touch()
    table_without_splits(empty_folder, "abcd")
    with pytest.raises(InputError, match=r"came 0 of 4 images with a mask, and 4 other files"):
        list_ids(empty_folder.settings())


def test_a_table_that_is_no_text_is_refused(folder):
    (folder.root / "labels.csv").write_bytes(b"\xff\xfe\x00image")
    with pytest.raises(InputError, match=r"labels\.csv:1: wanted text in UTF-8"):
        list_ids(folder.settings())


def test_a_root_that_is_a_file_is_named(tmp_path):
    (tmp_path / "root").write_text("")
    with pytest.raises(InputError, match="Not a directory"):
        list_ids(Data(format="folder", root=str(tmp_path / "root")))
