"""Seals: the SHA-256 of a file inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssr.artefacts.seals import BLANK, seal, verify
from ssr.errors import InputError


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "file.json"
    path.write_text(f'{{"before": 1, "seal": "{BLANK}", "after": 2}}\n')
    seal(path)
    return path


def test_a_sealed_file_is_what_was_written(sealed: Path) -> None:
    verify(sealed, required=True)
    assert BLANK not in sealed.read_text()
    assert len(sealed.read_text()) == len(f'{{"before": 1, "seal": "{BLANK}", "after": 2}}\n')


def test_equal_content_gives_equal_bytes(sealed: Path) -> None:
    again = sealed.with_name("again.json")
    again.write_text(f'{{"before": 1, "seal": "{BLANK}", "after": 2}}\n')
    seal(again)
    assert again.read_bytes() == sealed.read_bytes()


def test_every_flipped_bit_is_noticed(sealed: Path) -> None:
    content = sealed.read_bytes()
    for position in range(len(content)):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[position] ^= 1 << bit
            sealed.write_bytes(flipped)
            with pytest.raises(InputError, match="delete this file and run snakemake again"):
                verify(sealed, required=True)


@pytest.mark.parametrize("blank_at", [0, 3 << 20], ids=["beginning", "end"])
def test_a_seal_is_found_at_either_end_of_a_large_file(tmp_path: Path, blank_at: int) -> None:
    path = tmp_path / "large"
    content = bytearray(b"x" * (3 << 20))
    content[blank_at:blank_at] = BLANK.encode()
    path.write_bytes(content)
    seal(path)
    verify(path, required=True)
    path.write_bytes(path.read_bytes()[:-1] + b"y")
    with pytest.raises(InputError, match="is damaged"):
        verify(path)


def test_a_file_cut_short_inside_its_seal_is_damaged(sealed: Path) -> None:
    sealed.write_bytes(sealed.read_bytes()[:60])
    with pytest.raises(InputError, match="is damaged"):
        verify(sealed)


def test_files_of_others_have_no_seal(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.write_bytes(b"x")
    verify(path)
    with pytest.raises(InputError, match="has no seal"):
        verify(path, required=True)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing: cannot be read"):
        verify(tmp_path / "nothing", required=True)


def test_only_what_has_room_for_a_seal_is_sealed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(ValueError, match="holds no blank seal"):
        seal(tmp_path / "x")
