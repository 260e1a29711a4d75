import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Semaphore

import pytest
from pyarrow.parquet import ParquetFile, write_table

from ssr.data.index import Image, Index
from ssr.data.masks import Masks
from ssr.errors import InputError
from tests import ROOT

INDEX = Index(
    (
        Image("a", "images/a.jpg", 500, 375, "train", (1, 15), "train_0000"),
        Image("c", "images/c.jpg", 20, 30, "train", (), "train_0001"),
        Image("b", "images/b.jpg", 40, 50, "val", (2,), "val_0000"),
    )
)


def test_reads_what_was_written(tmp_path):
    INDEX.write(tmp_path / "index.parquet")
    assert Index.read(tmp_path / "index.parquet").images == INDEX.images


def test_equal_indices_give_equal_bytes(tmp_path):
    for name in ("first", "second"):
        INDEX.write(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_an_empty_index_can_be_read(tmp_path):
    Index(()).write(tmp_path / "index.parquet")
    assert Index.read(tmp_path / "index.parquet").images == ()


def test_images_are_found_by_split_and_shard():
    assert [image.id for image in INDEX.split("train")] == ["a", "c"]
    assert INDEX.split("tune") == []
    assert [image.id for image in INDEX.shard("train_0001")] == ["c"]


def test_images_of_a_shard_need_not_lie_together():
    first, second, third = INDEX.images
    assert Index((first, third, second)).split("train") == [first, second]


def test_a_shard_is_found_in_whichever_parts_of_a_long_file_it_lies(tmp_path, monkeypatch):
    monkeypatch.setattr("ssr.data.index.pq.write_table", partial(write_table, row_group_size=2))
    shards = ["train_0000", *["train_0001"] * 3, "val_0000"]
    long = Index([Image(f"{n}", "i", 1, 1, s[:-5], (), s) for n, s in enumerate(shards)])
    long.write(tmp_path / "index.parquet")
    read = Index.read(tmp_path / "index.parquet")
    assert [*map(read.shard, dict.fromkeys(shards))] == [*map(long.shard, dict.fromkeys(shards))]
    assert (read.split("train"), read.split("test")) == (long.split("train"), [])


def test_threads_read_a_file_one_after_the_other(tmp_path, monkeypatch):
    """pyarrow crashes, or waits for ever, where two are in one file."""
    readers = Semaphore(1)

    class Slow(ParquetFile):
        def iter_batches(self, **options):
            yield from [self._alone(batch) for batch in super().iter_batches(**options)]

        def read(self):
            return self._alone(super().read())

        def _alone(self, found):
            assert readers.acquire(blocking=False)
            time.sleep(0.01)
            readers.release()
            return found

    monkeypatch.setattr("ssr.data.index.pq.ParquetFile", Slow)
    INDEX.write(tmp_path / "index.parquet")
    read = Index.read(tmp_path / "index.parquet")
    with ThreadPoolExecutor(4) as pool:
        whole = pool.submit(lambda: read.images)
        shards = [image.shard for image in INDEX.images]
        assert list(pool.map(read.shard, shards)) == list(map(INDEX.shard, shards))
        assert whole.result() == INDEX.images


def test_tables_are_read_without_pandas(tmp_path):
    """Its import takes longer than most jobs that read nothing but tables have to work."""
    INDEX.write(tmp_path / "index.parquet")
    Masks({"a": "masks/a.png"}, tmp_path).write(tmp_path / "masks.parquet")
    program = """
import sys
from ssr.data.index import Index
from ssr.data.masks import Masks
assert Index.read("index.parquet").shard("val_0000")
assert Masks.read("masks.parquet", ".").references
sys.exit("pandas" in sys.modules)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)


def test_an_index_as_large_as_that_of_coco_stays_small(tmp_path):
    """Below one megabyte Snakemake compares content, so that an equal index reruns nothing."""
    chosen = random.Random(0)
    images = []
    for number in sorted(chosen.sample(range(581_929), 122_218)):
        name = f"COCO_train2014_{number:012d}"
        labels = tuple(sorted(chosen.choices(range(1, 81), k=3)))
        side = chosen.choice((480, 480, chosen.randint(330, 640)))
        images.append(Image(name, f"train2014/{name}.jpg", 640, side, "train", labels, "train_0"))
    Index(images).write(tmp_path / "index.parquet")
    assert (tmp_path / "index.parquet").stat().st_size < 1_000_000


def test_an_unknown_shard_is_refused():
    with pytest.raises(InputError, match=r"train_0002; there are train_0000, train_0001, val_0000"):
        INDEX.shard("train_0002")


def test_a_missing_or_damaged_file_is_named(tmp_path):
    path = tmp_path / "index.parquet"
    with pytest.raises(InputError, match=r"index\.parquet: cannot be read"):
        Index.read(path)
    INDEX.write(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"index\.parquet: is damaged"):
        Index.read(path)
