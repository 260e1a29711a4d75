"""Text files of users: read as they are, or refused in words."""

import re

import pytest

from ssr.data.texts import read_text, stream_lines
from ssr.errors import InputError


@pytest.fixture(params=["at once", "line by line"])
def read(request):
    """Reads a text wholly, either way."""
    return read_text if request.param == "at once" else lambda path: "".join(stream_lines(path))


@pytest.mark.parametrize("text", ["", "a\n", "a\r\nb\r", "ä\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_text_is_read_as_it_is_without_a_byte_order_mark(read, tmp_path, text, encoding):
    (tmp_path / "t").write_bytes(text.encode(encoding))
    assert read(tmp_path / "t") == text


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a\nb\n\xe4", ":3: wanted text in UTF-8, came byte 0xe4"),
        (b"\xef\xbb\xbfa\r\xe4", ":2: wanted text in UTF-8, came byte 0xe4"),
        ("a".encode("utf-16"), ":1: wanted text in UTF-8, came byte 0xff"),
    ],
)
def test_another_encoding_is_refused_with_its_line(read, tmp_path, content, place):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(InputError, match=f"^{re.escape(str(tmp_path))}/t{place}$"):
        read(tmp_path / "t")


def test_a_folder_is_no_text(read, tmp_path):
    with pytest.raises(InputError, match=r"wanted a text file; Is a directory$"):
        read(tmp_path)


def test_a_missing_file_is_for_the_caller_to_explain(read, tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "t")
