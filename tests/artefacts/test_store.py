import multiprocessing
import pickle

import numpy as np
import pytest
import zarr

from ssr.artefacts import archives
from ssr.artefacts.store import ShardWriter, open_shards
from ssr.errors import InputError

RANDOM = np.random.default_rng(0)
ARRAYS = {
    "tokens": RANDOM.standard_normal((7, 5)).astype(np.float16),
    "cams": RANDOM.random((2, 3, 4), dtype=np.float32),
    "grid": np.array([3, 4]),
    "superpixels": RANDOM.integers(0, 900, (16, 24)).astype(np.uint16),
    "mask": np.eye(3, dtype=bool),
    "count": np.array(3, np.uint8),
    "no_cams": np.zeros((0, 3, 4), np.float32),
}


def write(path, ids=("a", "b"), attributes=None):
    with ShardWriter(path, attributes, compress=["superpixels"]) as writer:
        for number, image_id in enumerate(ids):
            arrays = {name: array + array.dtype.type(number) for name, array in ARRAYS.items()}
            writer.add(image_id, arrays)
    return path


@pytest.fixture
def store(tmp_path):
    return write(tmp_path / "train_0000.zarr.zip", attributes={"patch": 16})


def test_reads_what_was_written(store):
    shards = open_shards([store])
    assert shards.ids == ["a", "b"]
    assert "a" in shards
    assert "c" not in shards
    assert shards.attributes == {"patch": 16}
    assert shards.names("a") == tuple(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(shards.read("a", name), array, strict=True)


def test_arrays_read_belong_to_the_caller(store):
    shards = open_shards([store])
    shards.read("a", "tokens")[:] = 0
    np.testing.assert_array_equal(shards.read("a", "tokens"), ARRAYS["tokens"])


def test_zarr_itself_reads_the_store(store):
    group = zarr.open_group(zarr.storage.ZipStore(store), mode="r")
    assert dict(group.attrs) == {"patch": 16}
    assert sorted(group.group_keys()) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(group[f"{name}/a"][...], array, strict=True)


def test_arrays_in_foreign_byte_order_or_layout_are_stored_alike(tmp_path):
    array = np.arange(12.0, dtype=">f4").reshape(3, 4).T
    with ShardWriter(tmp_path / "s.zarr.zip") as writer:
        writer.add("a", {"x": array})
    read = open_shards([tmp_path / "s.zarr.zip"]).read("a", "x")
    np.testing.assert_array_equal(read, array.astype("<f4"), strict=True)


def test_equal_content_gives_equal_bytes_whatever_the_clock(tmp_path, monkeypatch):
    first = write(tmp_path / "first.zip").read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert write(tmp_path / "second.zip").read_bytes() == first


def test_compressed_arrays_take_less_room(tmp_path):
    flat = {"flat": np.zeros((100, 100), np.uint16)}
    sizes = []
    for compress in ([], ["flat"]):
        with ShardWriter(tmp_path / "s.zarr.zip", compress=compress) as writer:
            writer.add("a", flat)
        sizes.append((tmp_path / "s.zarr.zip").stat().st_size)
    assert sizes[1] < sizes[0] / 10


def test_many_stores_look_like_one(tmp_path):
    paths = [write(tmp_path / f"{ids}.zip", ids) for ids in ("ab", "cd")]
    shards = open_shards(paths)
    assert shards.ids == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(shards.read("d", "cams"), ARRAYS["cams"] + 1)
    assert len(open_shards([])) == 0


def test_more_stores_than_open_files(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_MOST_OPEN", 2)
    shards = open_shards([write(tmp_path / f"{image_id}.zip", [image_id]) for image_id in "abcde"])
    for image_id in "abcdeedcba":
        np.testing.assert_array_equal(shards.read(image_id, "grid"), ARRAYS["grid"])
    assert len(shards._archives._handles) <= 2


def read_many(shards, count):
    return [shards.read("ab"[number % 2], "tokens").sum() for number in range(count)]


def test_can_be_pickled_and_used_in_forked_processes_at_once(store):
    shards = open_shards([store])
    expected = read_many(shards, 200)
    assert read_many(pickle.loads(pickle.dumps(shards)), 200) == expected
    with multiprocessing.get_context("fork").Pool(3) as pool:
        results = pool.starmap(read_many, [(shards, 200)] * 3)
    assert results == [expected] * 3


def fork_reader(shards, queue):
    queue.put(read_many(shards, 500))


def test_inherited_handles_are_not_shared_with_the_parent(store):
    shards = open_shards([store])
    expected = read_many(shards, 500)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=fork_reader, args=(shards, queue))
    child.start()
    assert read_many(shards, 500) == expected
    assert queue.get(timeout=30) == expected
    child.join()


def test_nothing_appears_when_writing_fails(tmp_path):
    def fail():
        with ShardWriter(tmp_path / "s.zarr.zip") as writer:
            writer.add("a", ARRAYS)
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_an_image_is_written_once(tmp_path):
    with ShardWriter(tmp_path / "s.zarr.zip") as writer:
        writer.add("a", {"grid": ARRAYS["grid"]})
        with pytest.raises(ValueError, match="grid/a"):
            writer.add("a", {"grid": ARRAYS["grid"]})


def test_a_missing_store_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.zarr\.zip: no such file; run snakemake"):
        open_shards([tmp_path / "absent.zarr.zip"])


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.999])
def test_a_store_cut_short_is_refused_when_opened(store, share):
    content = store.read_bytes()
    store.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"train_0000\.zarr\.zip: is cut short.*delete this file"):
        open_shards([store])


def test_a_damaged_array_is_refused_when_read(store):
    content = store.read_bytes()
    position = content.index(ARRAYS["tokens"].tobytes())
    store.write_bytes(content[:position] + b"\x55" + content[position + 1 :])
    shards = open_shards([store])
    shards.read("a", "cams")
    with pytest.raises(InputError, match=r"train_0000\.zarr\.zip: cannot read tokens/a.*CRC"):
        shards.read("a", "tokens")


def test_an_unknown_image_or_array_is_named(store):
    shards = open_shards([store])
    with pytest.raises(InputError, match=r"image c is not in .*train_0000"):
        shards.read("c", "tokens")
    with pytest.raises(InputError, match=r"train_0000.*image a has no array logits"):
        shards.read("a", "logits")


def test_stores_that_repeat_an_image_are_refused(tmp_path):
    paths = [write(tmp_path / f"{ids}.zip", ids) for ids in ("ab", "bc")]
    with pytest.raises(InputError, match=r"bc\.zip: image b"):
        open_shards(paths)


def test_stores_of_different_settings_are_refused(tmp_path):
    paths = [
        write(tmp_path / f"{patch}.zip", image_id, {"patch": patch})
        for image_id, patch in (("a", 8), ("b", 16))
    ]
    with pytest.raises(InputError, match=r"16\.zip: has other attributes than .*8\.zip"):
        open_shards(paths)
