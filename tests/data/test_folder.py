import pytest

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


def test_a_missing_table_is_named(folder):
    (folder.root / "labels.csv").unlink()
    with pytest.raises(InputError, match=r"set/labels\.csv: no such file"):
        list_ids(folder.settings())


def test_missing_columns_are_named(folder):
    (folder.root / "labels.csv").write_text("image,label\n")
    with pytest.raises(InputError, match=r"must name image, split, labels; labels, split is miss"):
        list_ids(folder.settings())


def test_a_table_that_is_no_text_is_refused(folder):
    (folder.root / "labels.csv").write_bytes(b"\xff\xfe\x00image")
    with pytest.raises(InputError, match=r"labels\.csv: is not a CSV file in UTF-8"):
        list_ids(folder.settings())
