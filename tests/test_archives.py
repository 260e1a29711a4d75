import stat
import zipfile

import pytest

from ssr.archives import Archives, write_entry
from ssr.errors import InputError


@pytest.fixture
def archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        write_entry(opened, "first", b"1" * 100)
        write_entry(opened, "second", b"2" * 100)
    return tmp_path / "a.zip"


def test_entries_keep_their_order_and_content(archive):
    archives = Archives([archive])
    assert archives.keys(0) == ["first", "second"]
    assert archives.read(0, "second") == b"2" * 100


def test_entries_are_plain_files_without_date(archive):
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.compress_type == zipfile.ZIP_STORED
            assert stat.S_IMODE(entry.external_attr >> 16) == 0o644


def test_a_missing_entry_is_named(archive):
    with pytest.raises(InputError, match=r"a\.zip: holds no third; delete this file"):
        Archives([archive]).read(0, "third")


def test_a_file_cut_short_after_it_was_listed_is_refused(archive):
    archives = Archives([archive])
    archives.keys(0)
    archive.write_bytes(archive.read_bytes()[:40])
    with pytest.raises(InputError, match=r"a\.zip: cannot read second"):
        archives.read(0, "second")
