import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from ssr.data import label_files
from ssr.data.findings import Findings
from ssr.data.label_files import read_ids, read_list
from ssr.errors import InputError

CLASSES = ("cat", "dog", "owl")


def read_label_file(path, classes, findings=None):
    return label_files.read_label_file(path, classes, findings or Findings())


def read(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_label_file(path, CLASSES)


def save(path, content, **options):
    """As the peers write their cls_labels.npy."""
    np.save(path, content, allow_pickle=True, **options)
    return path


def save_pickle(path, pickled):
    """An .npy file whose header is sound and whose pickle is `pickled`."""
    save(path, {})
    start = path.read_bytes()[: 10 + int.from_bytes(path.read_bytes()[8:10], "little")]
    path.write_bytes(start + pickled)
    return path


@pytest.mark.parametrize(
    "content",
    [
        {"a": ["dog"], "b": ["cat", "dog"]},
        {"a": [2], "b": [1, 2]},
        {"classes": ["background", "dog", "cat"], "labels": {"a": [1], "b": [2, 1]}},
        {"labels": {"a.jpg": [2], "b.png": ["cat", 2]}},
    ],
)
def test_json_gives_names_or_indices_from_1(tmp_path, content):
    assert read(tmp_path / "l.json", content) == {"a": ("dog",), "b": ("cat", "dog")}


def test_csv_gives_names(tmp_path):
    content = "image,labels\na.jpg,dog\nb, cat ; dog\nc,\n"
    assert read(tmp_path / "l.csv", content) == {"a": ("dog",), "b": ("cat", "dog"), "c": ()}


def test_what_a_csv_holds_beside_its_labels_is_told(tmp_path):
    (tmp_path / "l.csv").write_text("image,labels,\na,cat,dog\n")
    findings = Findings()
    read_label_file(tmp_path / "l.csv", CLASSES, findings)
    with pytest.raises(InputError, match=r"1 × cell in a column without a name; .*: a \(dog\)"):
        findings.raise_problems("set")
    (tmp_path / "l.csv").write_text("image,split,labels\na,train,cat\n")
    findings = Findings()
    read_label_file(tmp_path / "l.csv", CLASSES, findings)
    assert findings.warnings == ["1 × column of l.csv that is not used: split ('train', …)"]


def test_a_list_gives_indices_from_0(tmp_path):
    assert read(tmp_path / "l.txt", "a 1\n\nb.jpg 0 1\nc\n") == {
        "a": ("dog",),
        "b": ("cat", "dog"),
        "c": (),
    }


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.uint8, np.bool_, ">i4"])
def test_npy_gives_a_number_for_each_class(tmp_path, kind):
    vectors = {"a": np.array([0, 1, 0], kind), "b": np.array([1, 1, 0], kind)}
    path = save(tmp_path / "l.npy", vectors)
    assert read_label_file(path, CLASSES) == {"a": ("dog",), "b": ("cat", "dog")}


@pytest.mark.parametrize("protocol", range(2, 5))
def test_npy_of_older_pythons_can_be_read(tmp_path, protocol):
    array = np.array({"a": np.array([0.0, 1.0, 0.0])}, dtype=object)
    path = save_pickle(tmp_path / "l.npy", pickle.dumps(array, protocol=protocol))
    assert read_label_file(path, CLASSES) == {"a": ("dog",)}


def test_npy_of_older_numpys_can_be_read(tmp_path):
    array = np.array({"a": np.array([0.0, 1.0, 0.0])}, dtype=object)
    pickled = pickle.dumps(array, protocol=2).replace(b"numpy._core", b"numpy.core")
    assert read_label_file(save_pickle(tmp_path / "l.npy", pickled), CLASSES) == {"a": ("dog",)}


def test_whole_numbers_in_npy_are_ids_of_voc(tmp_path):
    path = save(tmp_path / "l.npy", {2007000032: [0, 0, 1]})
    assert read_label_file(path, CLASSES) == {"2007_000032": ("owl",)}


class Malicious:
    """Its pickle calls a function of one's choice; here one that leaves a trace."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (os.mkdir, "posix.mkdir"),
        (eval, "builtins.eval"),
        (np.fromfile, "numpy.*fromfile"),
        (getattr, "builtins.getattr"),
    ],
)
@pytest.mark.parametrize("protocol", range(2, 5))
def test_a_malicious_pickle_is_refused_by_name_and_not_run(tmp_path, function, name, protocol):
    trace = tmp_path / "trace"
    argument = f"__import__('os').mkdir({str(trace)!r})" if function is eval else str(trace)
    array = np.array({"a": Malicious(function, argument)}, dtype=object)
    path = save_pickle(tmp_path / "l.npy", pickle.dumps(array, protocol=protocol))
    name = name.replace("builtins", "(builtins|__builtin__)")
    with pytest.raises(InputError, match=rf"l\.npy: the pickle names {name}, which is never run"):
        read_label_file(path, CLASSES)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": np.zeros(4)}, "a has 4 numbers, data.classes has 3 names"),
        ({"a": np.array([1, -1, 0])}, "a has numbers below 0"),
        ({"a": np.zeros((1, 3))}, r"wanted vectors, came an array of shape \(1, 3\)"),
        ({"a": "cat"}, "wanted arrays of numbers, came str"),
        ({"a": np.array(["cat"])}, "wanted arrays of numbers, came numpy type 'U3'"),
        (np.array({1, 2}, dtype=object), "wanted a dict of arrays, came set"),
        (np.array(["a"], dtype=object), r"came an array of shape \(1,\) and type object"),
        (np.zeros(3), r"came an array of shape \(3,\) and type float64"),
    ],
)
def test_npy_that_holds_something_else_is_refused(tmp_path, content, message):
    with pytest.raises(InputError, match=rf"l\.npy: .*{message}"):
        read_label_file(save(tmp_path / "l.npy", content), CLASSES)


@pytest.mark.parametrize("cut", [3, 60, 150, 230])
def test_a_damaged_npy_is_refused(tmp_path, cut):
    path = save(tmp_path / "l.npy", {"a": np.zeros(3)})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"l\.npy: cannot be read as a pickled dict"):
        read_label_file(path, CLASSES)


def test_what_is_no_class_is_handed_on_to_be_reported(tmp_path):
    assert read(tmp_path / "l.json", {"a": [0, 4, -1, "cow", True]}) == {
        "a": ("0", "4", "-1", "cow", "True")
    }
    assert read(tmp_path / "l.txt", "a 3 -1") == {"a": ("3", "-1")}
    assert read(tmp_path / "l.csv", "image,labels\na,cow") == {"a": ("cow",)}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.json", "{", "is no JSON"),
        ("l.json", ["a"], "must map image ids to lists"),
        ("l.json", {"a": "cat"}, "must map image ids to lists"),
        ("l.json", {"classes": ["cat", "dog"], "labels": {}}, 'starts with "background"'),
        ("l.json", '{"a": ["cat"], "a": ["dog"]}', "names a twice"),
        ("l.json", {"labels": {}, "names": []}, "names 'names' beside"),
        ("l.csv", "image,labels\n,cat\n", r"names an image without a name, \('cat',\)"),
        ("l.csv", "a,cat\n", "the header must name image and labels"),
        ("l.csv", "image,labels\na,cat\na.jpg,dog\n", "names a twice"),
        ("l.txt", "a 0\nb cat\n", ":2: wanted an id and class indices from 0, came 'cat'"),
        ("l.txt", "a 0\na 1\n", "names a twice"),
        ("l.xml", "", r"a labels file ends in \.json, \.csv, \.txt, \.npy"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path / name, content)
    assert name in str(error.value)


@pytest.mark.parametrize("name", ["l.csv", "l.txt", "l.json"])
def test_a_text_of_another_encoding_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes("image,labels\nä,cat".encode("latin1"))
    with pytest.raises(InputError, match=r":2: wanted text in UTF-8, came byte 0xe4"):
        read_label_file(tmp_path / name, CLASSES)


@pytest.mark.parametrize("suffix", ["json", "csv", "txt", "npy"])
def test_a_missing_file_is_named(tmp_path, suffix):
    with pytest.raises(InputError, match=rf"other\.{suffix}: no such file"):
        read_label_file(tmp_path / f"other.{suffix}", CLASSES)


def test_ids_are_the_first_words_of_a_list(tmp_path):
    (tmp_path / "l.txt").write_text("b.jpg 1 2\n\na\n")
    assert read_ids(tmp_path / "l.txt") == ["b", "a"]


def test_a_list_of_many_images_is_read_without_numpy(tmp_path):
    (tmp_path / "l.txt").write_text("a 0")
    program = (
        f"import sys; from ssr.data.label_files import read_list; read_list('{tmp_path}/l.txt')"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; print('numpy' in sys.modules)"],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False\n"
    assert read_list(tmp_path / "l.txt") == {"a": (0,)}
