"""What a terminal can show beside other things."""

from __future__ import annotations

import pytest

from ssr.watching.text import cut, plain


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("refining: 3/9 (1.0/s)", "refining: 3/9 (1.0/s)"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[38:2::255:0:0mred\x1b[m", "red"),
        ("\x1b[2J\x1b[10;5Hmoved\x1b[K", "moved"),
        ("\x1b[?25lhidden cursor\x1b[?25h", "hidden cursor"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r\x1b\\text", "text"),
        ("text\x1b]0;never ends", "text"),
        ("cut off\x1b[3", "cut off"),
        ("\x1bcreset\x1b(B", "reset"),
        ("a\x00b\x07c\x08d\x7fe\x1b", "abcde"),
        ("a\tb", "a    b"),
        ("\u202eturned\u202c \u2066round\u2069", "turned round"),
        ("soft\u00adhyphen\u200b", "softhyphen"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\U0001f469"),
        ("\u2764\ufe0f", "\u2764"),
        ("Größe 猫 é e\u0301", "Größe 猫 é e\u0301"),
        ("\x1b[0m  ", ""),
    ],
)
def test_what_would_change_the_terminal_is_left_out(printed: str, shown: str) -> None:
    assert plain(printed) == shown


@pytest.mark.parametrize(
    ("line", "columns", "left"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("abc", 0, ""),
        ("猫犬", 4, "猫犬"),
        ("猫犬", 3, "猫"),
        ("猫a", 2, "猫"),
        ("Ａｂ", 2, "Ａ"),
        ("ｱｲ", 2, "ｱｲ"),
        ("한국", 3, "한"),
        ("\U0001f600\U0001f680", 3, "\U0001f600"),
        ("\U0001fadf\U0001fadf", 3, "\U0001fadf"),
        ("e\u0301a\u0308", 2, "e\u0301a\u0308"),
        ("e\u0301a\u0308", 1, "e\u0301"),
        ("猫\u0301", 1, ""),
    ],
)
def test_a_line_is_cut_by_the_columns_that_it_takes(line: str, columns: int, left: str) -> None:
    assert cut(line, columns) == left
