"""Values of changed params, in the words of the configuration."""

from __future__ import annotations

import pytest

from ssr.doctor.changes import explain_change


@pytest.mark.parametrize(
    ("before", "now", "explained"),
    [
        (["'bf08f530d6b8'"], ["'9bf6dd960999'"], ["its code changed"]),
        (
            ['\'{"a": 1, "b": {"c": 0.3}}\''],
            ['\'{"a": 1, "b": {"c": 0.2}}\''],
            ["b.c 0.3 → 0.2"],
        ),
        (
            ["'{\"a\": 1}'", "'bf08f530d6b8'"],
            ["'9bf6dd960999'", "'{\"a\": 2}'"],
            ["its code changed", "a 1 → 2"],
        ),
        (["6"], ["8"], ["6 → 8"]),
        ([], ["8"], ["nothing → 8"]),
        (["['cat', 'dog']"], ["['cat']"], ["['cat', 'dog'] → ['cat']"]),
        (["<unreadable>"], ["8"], ["<unreadable> → 8"]),
    ],
)
def test_changes_are_explained(before: list[str], now: list[str], explained: list[str]) -> None:
    assert list(explain_change("refine_cams", before, now)) == explained


def test_the_summary_knows_settings_and_code_by_hashes_only() -> None:
    words = ["'bf08f530d6b8'"], ["'9bf6dd960999'"]
    assert list(explain_change("summarise", *words)) == ["settings or code changed"]
