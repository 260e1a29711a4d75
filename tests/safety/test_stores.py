"""Stores and archives of label maps from someone one can't trust."""

import json
import zipfile

import numpy as np
import pytest
from numcodecs import zstd

from ssr.artefacts.store import open_shards
from ssr.data.pngs import encode_png, open_pngs
from ssr.errors import InputError

SOUND = {
    "shape": [2, 3],
    "data_type": "float32",
    "codecs": [{"name": "bytes"}, {"name": "zstd"}],
    "attributes": {},
}
CONTENT = zstd.compress(np.ones((2, 3), np.float32).tobytes())


def forge(path, metadata=SOUND, content=CONTENT, name="cams/a", kind=zipfile.ZIP_STORED):
    """A store as zipfile writes it: no seal, and whatever metadata."""
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("zarr.json", json.dumps({"attributes": {}}))
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        archive.writestr(f"{name}/zarr.json", text)
        archive.writestr(f"{name}/c/0/0", content)
    return open_shards([path])


def test_the_forger_can_write_a_sound_store(tmp_path):
    assert forge(tmp_path / "s.zarr.zip").read("a", "cams").tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize(
    "metadata",
    [
        "{",
        "[" * 100_000,
        "[]",
        SOUND | {"data_type": "object"},
        SOUND | {"data_type": "O"},
        SOUND | {"data_type": "object", "shape": [0, 3]},
        SOUND | {"data_type": "S24"},
        SOUND | {"data_type": "float99"},
        SOUND | {"data_type": "datetime64[s]"},
        SOUND | {"data_type": {"names": ["x"], "formats": ["O"]}},
        SOUND | {"shape": [-2, -3]},
        SOUND | {"shape": [-1, 3]},
        SOUND | {"shape": [2.0, 3.0]},
        SOUND | {"shape": "23"},
        SOUND | {"shape": [0, 10**30]},
        SOUND | {"shape": [1, 3]},
        SOUND | {"shape": [10**6, 10**6]},
        {name: value for name, value in SOUND.items() if name != "codecs"},
    ],
    ids=lambda metadata: str(metadata)[:60],
)
def test_metadata_that_lies_is_refused(tmp_path, metadata):
    store = forge(tmp_path / "s.zarr.zip", metadata)
    with pytest.raises(InputError, match=r"s\.zarr\.zip: cams/a/ is no array of numbers"):
        store.read("a", "cams")


def test_a_little_zstd_does_not_become_gigabytes(tmp_path):
    bomb = zstd.compress(bytes(200_000_000))
    assert len(bomb) < 20_000
    with pytest.raises(InputError, match="no array of numbers: destination buffer too small"):
        forge(tmp_path / "s.zarr.zip", content=bomb).read("a", "cams")


@pytest.mark.parametrize("content", [b"", b"no zstd", CONTENT[:-5]])
def test_damaged_zstd_is_refused(tmp_path, content):
    with pytest.raises(InputError, match=r"s\.zarr\.zip: cams/a/ is no array of numbers"):
        forge(tmp_path / "s.zarr.zip", content=content).read("a", "cams")


def test_bytes_that_do_not_fill_the_shape_are_refused(tmp_path):
    plain = SOUND | {"codecs": [{"name": "bytes"}]}
    with pytest.raises(InputError, match="5 bytes, wanted 24"):
        forge(tmp_path / "s.zarr.zip", plain, b"12345").read("a", "cams")


def test_a_compressed_store_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"zarr\.json is compressed"):
        forge(tmp_path / "s.zarr.zip", kind=zipfile.ZIP_DEFLATED)


def test_keys_that_lead_elsewhere_name_arrays_and_no_files(tmp_path):
    store = forge(tmp_path / "s.zarr.zip", name="../up")
    assert store.ids == ["up"]
    assert not (tmp_path.parent / "up").exists()


def test_label_maps_are_read_in_place(tmp_path):
    """No archive is unpacked, so that its names can't become files."""
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr("../up.png", encode_png(np.ones((2, 2), np.uint8)))
    before = sorted(tmp_path.parent.rglob("*"))
    assert open_pngs([tmp_path / "l.zip"]).read("../up").tolist() == [[1, 1], [1, 1]]
    assert sorted(tmp_path.parent.rglob("*")) == before
