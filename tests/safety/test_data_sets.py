"""A data set from someone one can't trust: its images, labels, lists and ids."""

import json
import os
import pickle
import struct
import subprocess
import sys
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import EpsImagePlugin
from PIL import Image as Picture

from ssr.config import Data
from ssr.data.check import check_dataset
from ssr.data.coco import labelled_folders, masked_folders
from ssr.data.findings import Findings
from ssr.data.ids import is_plain
from ssr.data.images import load_image, measure_image
from ssr.data.index import Image, Index
from ssr.data.instances import Scene, draw_mask, read_scenes
from ssr.data.label_files import read_label_file
from ssr.data.masks import Masks
from ssr.data.pngs import PngWriter, read_labels
from ssr.data.voc import read_sources
from ssr.errors import InputError
from tests.malice import Payload

CLASSES = ("cat", "dog")
EVIL = {
    "path up": "../../up",
    "absolute path": "/tmp/up",
    "backslash": "..\\up",
    "only dots": "..",
    "hidden": ".ssh",
    "flag": "-rf",
    "empty": "",
    "NUL": "a\0b",
    "line break": "a\nb",
    "escape sequence": "a\x1b[2Jb",
    "writing from right to left": "a\u202egnp",
    "without width": "a\u200bb",
    "not UTF-8": "a\udcffb",
    "too long": "ä" * 101,
}


def folder_of(root, rows):
    """A data set whose table has these image names; each of them exists where that is possible."""
    (root / "images").mkdir(parents=True)
    lines = [f'"{name}",train,cat' for name in rows]
    table = "\n".join(["image,split,labels", *lines])
    (root / "labels.csv").write_text(table, encoding="utf-8", errors="surrogateescape")
    splits = {"tune": None, "val": None}
    return Data(format="folder", root=str(root), masks=None, classes=CLASSES, splits=splits)


@pytest.mark.parametrize("what", EVIL)
def test_an_id_that_is_no_name_of_a_file_is_refused(tmp_path, what):
    assert not is_plain(EVIL[what])
    with pytest.raises(
        InputError, match=r"labels\.csv:2: wanted text in UTF-8|can't be the name of a file"
    ):
        check_dataset(folder_of(tmp_path / "set", [f"{EVIL[what]}.png"]))


@pytest.mark.parametrize("name", ["2007_000032", "Ünïcödé (1)", "猫", "a.b", "$(touch x)", "<b>"])
def test_other_ids_may_be_odd(name):
    assert is_plain(name)


@pytest.mark.parametrize("what", EVIL)
def test_an_index_from_elsewhere_names_no_file_outside(tmp_path, what):
    row = Image("a", "images/a.png", 8, 6, "train", (1,), "train_0000")
    Index([row]).write(tmp_path / "index.parquet")
    table = pq.read_table(tmp_path / "index.parquet")
    try:
        ids = pa.array([EVIL[what]])
    except UnicodeEncodeError:
        return  # Parquet itself holds no such text
    forged = table.set_column(0, "id", ids).replace_schema_metadata(None)
    pq.write_table(forged, tmp_path / "index.parquet")
    with pytest.raises(InputError, match="image id"):
        Index.read(tmp_path / "index.parquet").shard("train_0000")


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "images/../../x.png"])
def test_an_index_from_elsewhere_opens_no_file_outside(path):
    with pytest.raises(InputError, match="below the data set's root"):
        Image("a", path, 8, 6, "train", (1,), "train_0000")


def test_a_table_of_arrow_types_that_are_pickles_runs_none(tmp_path, trace):
    kind = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Payload(trace)),
    }
    schema = pa.schema([pa.field("id", pa.string(), metadata=kind), ("mask", pa.string())])
    pq.write_table(pa.table([["a"], ["a.png"]], schema=schema), tmp_path / "masks.parquet")
    Masks.read(tmp_path / "masks.parquet", tmp_path)
    assert not trace.exists()


def test_no_label_map_becomes_a_file_outside_where_its_archive_is_unpacked(tmp_path):
    with PngWriter(tmp_path / "labels.zip") as writer:
        for name in ("../up", "/tmp/up", "a/../../up", "..\\up"):
            with pytest.raises(ValueError, match="leads out of the folder"):
                writer.add(name, np.zeros((2, 2), np.uint8))


@pytest.mark.parametrize("list_name", ["../up", "COCO_../../up_0001", "COCO_/tmp/up_0001"])
def test_a_list_of_coco_derives_no_file_outside(tmp_path, list_name):
    (tmp_path / "train.txt").write_text(f"{list_name} 0\n")
    train = "train.txt" if list_name.startswith("COCO") else list_name
    splits = {"train": train, "tune": None, "val": None}
    data = Data(
        format="coco", root=str(tmp_path), masks="annotations", classes=CLASSES, splits=splits
    )
    with pytest.raises(InputError, match="folder of COCO's images"):
        labelled_folders(data), masked_folders(data)


def bomb(path, side):
    """A PNG of a few hundred bytes that says it has side × side pixels."""

    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(10_000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))


@pytest.mark.parametrize("read", [load_image, measure_image, read_labels])
def test_an_image_that_would_fill_the_memory_is_refused(tmp_path, read):
    bomb(tmp_path / "a.png", 100_000)
    with pytest.raises(InputError, match="decompression bomb"):
        read(tmp_path / "a.png")


def test_no_image_is_handed_to_ghostscript(tmp_path, trace, monkeypatch):
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\nmkdir -p {trace}; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    path = tmp_path / "photo.jpg"
    Picture.new("RGB", (8, 6)).save(path, "EPS")
    with pytest.raises(subprocess.CalledProcessError), Picture.open(path) as image:
        image.load()
    assert trace.is_dir()  # that is what PIL does by itself
    trace.rmdir()
    for read in (load_image, measure_image, read_labels):
        with pytest.raises(InputError, match=r"photo\.jpg: cannot be read as an image"):
            read(path)
    assert not trace.exists()


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/stdin", "pipe", "/etc/passwd", "loop"])
def test_links_to_devices_pipes_and_texts_are_no_images(tmp_path, target):
    data = folder_of(tmp_path / "set", ["a.png"])
    os.mkfifo(tmp_path / "set/images/pipe")
    (tmp_path / "set/images/a.png").symlink_to("a.png" if target == "loop" else target)
    with pytest.raises(InputError, match=r"missing image|unreadable image"):
        check_dataset(data)


LAUGHS = '<!ENTITY l0 "ha">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)
)
SECRET = '<!ENTITY secret SYSTEM "file://{secret}">'


@pytest.mark.parametrize(
    ("entities", "name"),
    [(LAUGHS, "&l11;"), (SECRET, "&secret;"), ('<!ENTITY % x SYSTEM "file://{secret}"> %x;', "x")],
)
def test_xml_expands_no_entity_and_opens_no_file(tmp_path, entities, name):
    (tmp_path / "secret").write_text("cat")
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("a\n")
    document = f"<!DOCTYPE a [{entities.format(secret=tmp_path / 'secret')}]>"
    (tmp_path / "Annotations/a.xml").write_text(
        f"{document}<a><object><name>{name}</name></object></a>"
    )
    splits = {"train": "train", "tune": None, "val": None}
    data = Data(format="voc", root=str(tmp_path), masks=None, classes=CLASSES, splits=splits)
    findings = Findings()
    labels = read_sources(data, ["a"], findings)["a"].labels
    assert "cat" not in labels
    if name != "x":
        with pytest.raises(InputError, match="annotation that is no XML"):
            findings.raise_problems("set")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.json", "[" * 100_000),
        ("digits.json", '{"a": [' + "9" * 5000 + "]}"),
        ("digits.txt", "a " + "9" * 5000),
        ("cell.csv", "image,labels\na," + "x" * 200_000),
    ],
)
def test_texts_made_to_break_a_parser_are_refused(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        read_label_file(tmp_path / name, CLASSES, Findings())


def test_a_pickle_that_numbers_billions_of_things_gets_no_room_for_them(tmp_path):
    path = tmp_path / "l.npy"
    np.save(path, np.array({}, dtype=object), allow_pickle=True)
    start = path.read_bytes()[: 10 + int.from_bytes(path.read_bytes()[8:10], "little")]
    path.write_bytes(start + b"\x80\x02}r" + struct.pack("<I", 2**31) + b".")
    program = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
from ssr.data.findings import Findings
from ssr.data.label_files import read_label_file
read_label_file({str(path)!r}, ("cat",), Findings())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "the pickle numbers 2147483648 things before its byte" in done.stderr


def test_a_pickle_reaches_no_name_through_the_few_that_are_known(tmp_path, trace):
    """GLOBAL may name attributes of what it knows: `numpy.dtype.__init__.__globals__`, say."""
    path = tmp_path / "l.npy"
    np.save(path, np.array({}, dtype=object), allow_pickle=True)
    start = path.read_bytes()[: 10 + int.from_bytes(path.read_bytes()[8:10], "little")]
    for name in (b"numpy\ndtype.__init__", b"numpy.core.multiarray\n_reconstruct.__globals__"):
        path.write_bytes(start + b"\x80\x04c" + name + b"\n.")
        with pytest.raises(InputError, match="which is never run"):
            read_label_file(path, CLASSES, Findings())
    assert not trace.exists()


@pytest.mark.parametrize(
    "outline",
    [
        [[0, 0, 1e9, 0, 1e9, 1e9, 0, 1e9]],
        [[float("nan")] * 6],
        {"size": [4, 4], "counts": [0, 10**8]},
        {"size": [4, 4], "counts": [-1, 17]},
        {"size": [200_000, 200_000], "counts": "0"},
        {"size": [4, 4], "counts": "\x7f" * 50},
        {"size": [4, 4], "counts": "o" * 10**6},
    ],
)
def test_an_outline_beyond_its_image_is_not_drawn(outline):
    with pytest.raises(InputError, match="annotation 7 of a cannot be drawn"):
        draw_mask(Scene("a", 4, 4, (7,), (1,), (outline,)))


@pytest.mark.parametrize("size", [(10**6, 10**6), (-1, 4), ("4", 4), (0, 4)])
def test_no_mask_is_larger_than_an_image_may_be(size):
    with pytest.raises(InputError, match="cannot be drawn"):
        draw_mask(Scene("a", *size, (), (), ()))


@pytest.mark.parametrize("file", ["a\nb 1.jpg", "..", "a b.jpg", "a\x1b.jpg"])
def test_an_instances_file_names_images_only(tmp_path, file):
    content = {
        "images": [{"id": 1, "file_name": file, "height": 4, "width": 4}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"instances\.json: image id"):
        read_scenes(tmp_path / "instances.json", ("cat",))
