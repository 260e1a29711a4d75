import json

import pytest

from ssr.data.findings import Findings
from ssr.data.source import Source
from ssr.data.voc import list_ids, read_sources
from ssr.errors import InputError


def with_labels(voc, settings, content):
    (voc / "labels.json").write_text(json.dumps(content))
    return settings.model_copy(update={"labels_file": "labels.json"})


def labels(settings, ids=("a", "b")):
    return {name: source.labels for name, source in read_sources(settings, ids, Findings()).items()}


def test_ids_are_the_lines_of_the_lists(voc_settings):
    assert list_ids(voc_settings) == {
        "train": ["c", "a", "b"],
        "tune": [],
        "val": ["v"],
        "test": [],
    }


def test_labels_are_the_objects_of_the_annotations(voc_settings):
    sources = read_sources(voc_settings, ["a", "b"], Findings())
    assert sources == {
        "a": Source("JPEGImages/a.jpg", ("cat",)),
        "b": Source("JPEGImages/b.jpg", ("dog", "cat", "cat")),
    }


def test_labels_may_come_from_one_file(voc, voc_settings):
    settings = with_labels(voc, voc_settings, {"a": ["dog"], "b": [1, 2]})
    assert labels(settings) == {"a": ("dog",), "b": ("cat", "dog")}


def test_an_image_that_the_file_does_not_name_has_no_label(voc, voc_settings):
    assert labels(with_labels(voc, voc_settings, {"a": [1]})) == {"a": ("cat",), "b": ()}


def test_missing_and_broken_annotations_are_findings(voc, voc_settings):
    (voc / "Annotations" / "a.xml").unlink()
    (voc / "Annotations" / "b.xml").write_text("<annotation>")
    (voc / "Annotations" / "c.xml").unlink()
    (voc / "Annotations" / "c.xml").mkdir()
    findings = Findings()
    read_sources(voc_settings, ["a", "b", "c"], findings)
    with pytest.raises(InputError) as error:
        findings.raise_problems("set")
    assert "1 × missing annotation: " in str(error.value)
    assert "2 × annotation that is no XML: " in str(error.value)


def test_a_missing_list_is_named_with_those_there_are(voc_settings):
    settings = voc_settings.model_copy(
        update={"splits": voc_settings.splits.model_copy(update={"train": "train_aug"})}
    )
    with pytest.raises(InputError, match=r"train_aug\.txt: no such list; .* has train, val"):
        list_ids(settings)


def test_a_list_may_lie_anywhere(voc, voc_settings, tmp_path):
    (voc / "own").mkdir()
    (voc / "own/fewer.txt").write_text("a\nc\n")
    (tmp_path / "elsewhere.txt").write_text("b\n")
    for tune in (str(tmp_path / "elsewhere.txt"), "../elsewhere.txt"):
        splits = voc_settings.splits.model_copy(update={"train": "own/fewer.txt", "tune": tune})
        listed = list_ids(voc_settings.model_copy(update={"splits": splits}))
        assert listed == {"train": ["a", "c"], "tune": ["b"], "val": ["v"], "test": []}


def test_a_missing_file_of_ids_is_named(voc, voc_settings):
    splits = voc_settings.splits.model_copy(update={"tune": "own/tune.txt"})
    with pytest.raises(InputError, match=rf"^{voc}/own/tune\.txt: no such list; .* has none$"):
        list_ids(voc_settings.model_copy(update={"splits": splits}))


def test_the_test_split_needs_no_annotations(voc, voc_settings):
    (voc / "Annotations" / "v.xml").unlink()
    splits = voc_settings.splits.model_copy(update={"val": None, "test": "val"})
    settings = voc_settings.model_copy(update={"splits": splits})
    findings = Findings()
    assert read_sources(settings, ["a", "v"], findings)["v"] == Source("JPEGImages/v.jpg", ())
    findings.raise_problems("set")
