"""Snakemake's words on changed params, in those of the configuration."""

from __future__ import annotations

import pytest

from ssr.doctor.changes import explain_change

UNION = "Union of exclusive params before and now across all output: "


@pytest.mark.parametrize(
    ("words", "explained"),
    [
        ("before: 'bf08f530d6b8' now: '9bf6dd960999' ", ["its code changed"]),
        (
            'before: \'{"a": 1, "b": {"c": 0.3}}\' now: \'{"a": 1, "b": {"c": 0.2}}\' ',
            ["b.c 0.3 → 0.2"],
        ),
        (
            "before: '{\"a\": 1}','bf08f530d6b8' now: '9bf6dd960999','{\"a\": 2}' ",
            ["its code changed", "a 1 → 2"],
        ),
        ("before: 6 now: 8 ", ["6 → 8"]),
        ("before: <nothing exclusive> now: 8 ", ["nothing → 8"]),
        ("before: ['cat', 'dog'] now: ['cat'] ", ["['cat', 'dog'] → ['cat']"]),
        ("before: <unreadable> now: 8 ", [f"params changed: {UNION}before: <unreadable> now: 8 "]),
    ],
)
def test_changes_are_explained(words: str, explained: list[str]) -> None:
    assert list(explain_change("refine_cams", UNION + words)) == explained


def test_the_summary_knows_settings_and_code_by_hashes_only() -> None:
    words = UNION + "before: 'bf08f530d6b8' now: '9bf6dd960999' "
    assert list(explain_change("summarise", words)) == ["settings or code changed"]
