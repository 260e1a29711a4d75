import stat
import zipfile

import pytest

from ssr.artefacts.archives import Archives, new_archive, write_entry
from ssr.artefacts.seals import verify
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


@pytest.fixture
def sealed(tmp_path):
    with new_archive(tmp_path / "sealed.zip") as opened:
        for name in ("first", "second"):
            write_entry(opened, name, name.encode() * 20)
    return tmp_path / "sealed.zip"


def test_a_new_archive_is_sealed_and_a_zip_file_to_others(sealed):
    verify(sealed, required=True)
    with zipfile.ZipFile(sealed) as opened:
        assert opened.namelist() == ["first", "second"]
        assert opened.testzip() is None


def test_no_flipped_bit_changes_what_is_read(sealed):
    content = sealed.read_bytes()
    refused = 0
    for position in range(0, 8 * len(content), 7):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << position % 8
        sealed.write_bytes(flipped)
        archives = Archives([sealed])
        try:
            read = {key: archives.read(0, key) for key in archives.keys(0)}
        except InputError:
            refused += 1
        else:
            assert read == {"first": b"first" * 20, "second": b"second" * 20}
        with pytest.raises(InputError):
            verify(sealed, required=True)
    assert refused > len(content) / 2


def test_an_archive_whose_block_fails_does_not_appear(tmp_path):
    with pytest.raises(KeyError), new_archive(tmp_path / "a.zip"):
        raise KeyError
    assert not list(tmp_path.iterdir())
