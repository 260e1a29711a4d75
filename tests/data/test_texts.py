"""Text files of users: read as they are, or refused in words."""

import re

import pytest

from ssr.data.texts import read_text
from ssr.errors import InputError


@pytest.mark.parametrize("text", ["", "a\n", "a\r\nb\r", "ä\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_text_is_read_as_it_is_without_a_byte_order_mark(tmp_path, text, encoding):
    (tmp_path / "t").write_bytes(text.encode(encoding))
    assert read_text(tmp_path / "t") == text


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a\nb\n\xe4", ":3: wanted text in UTF-8, came byte 0xe4"),
        (b"\xef\xbb\xbfa\r\xe4", ":2: wanted text in UTF-8, came byte 0xe4"),
        ("a".encode("utf-16"), ":1: wanted text in UTF-8, came byte 0xff"),
    ],
)
def test_another_encoding_is_refused_with_its_line(tmp_path, content, place):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(InputError, match=f"^{re.escape(str(tmp_path))}/t{place}$"):
        read_text(tmp_path / "t")


def test_a_folder_is_no_text(tmp_path):
    with pytest.raises(InputError, match=r"wanted a text file; Is a directory$"):
        read_text(tmp_path)


def test_a_missing_file_is_for_the_caller_to_explain(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "t")
