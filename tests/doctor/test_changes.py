"""Values of changed params, in the words of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssr.config import Config
from ssr.config.settings import config_hash
from ssr.data.originals import INDEX, KEPT, kept_states
from ssr.doctor.changes import explain_change
from ssr.running.provenance import code_hash

UNREADABLE = "nothing → <unreadable>"


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
        (["'bf08f530d6b8'"], ["<unreadable>", "'9bf6dd960999'"], ["its code changed", UNREADABLE]),
        (["'{\"a\": 1}'"], [], ["its settings changed"]),
        (["{1: 2}"], ["'{no JSON'"], ["{1: 2} → {no JSON"]),
        (["6"], ["8"], ["6 → 8"]),
        ([], ["8"], ["nothing → 8"]),
        (["['cat', 'dog']"], ["['cat']"], ["['cat', 'dog'] → ['cat']"]),
        (["<unreadable>"], ["8"], ["<unreadable> → 8"]),
    ],
)
def test_changes_are_explained(before: list[str], now: list[str], explained: list[str]) -> None:
    assert list(explain_change("refine_cams", before, now)) == explained


@pytest.mark.parametrize(
    ("rule", "kind", "explained"),
    [
        ("index_dataset", "files", "images or labels of the data set changed"),
        ("index_dataset", "splits", "the division into splits changed"),
        ("index_masks", "files", "masks of the data set changed"),
        ("derive_coco_labels", "files", "files of the data set changed"),
        ("any", "prompts", "prompts changed"),
        ("extract_features", "images", "images or labels of this part of the data set changed"),
        ("choose_threshold", "masks", "masks of this split changed"),
    ],
)
def test_a_digest_is_told_by_what_it_stands_for(rule: str, kind: str, explained: str) -> None:
    old, new = (f"'{kind} {digest}'" for digest in ("75ef0e2b6c11", "bd5a00d41e99"))
    assert list(explain_change(rule, [old], [new])) == [explained]
    assert list(explain_change(rule, ["'bf08f530d6b8'", old], ["'9bf6dd960999'", new])) == [
        "its code changed",
        explained,
    ]
    (before,) = explain_change(rule, [], [new])
    assert before == explained.replace(" changed", ": not recorded before")
    (after,) = explain_change(rule, [old], [])
    assert after == explained.replace(" changed", ": no longer recorded")


def test_no_digest_of_a_run_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEPT, "")
    config = Config()
    data = config.data
    before, now = (
        kept_states(data, lambda own=i: {"train": [own]}, str(tmp_path), starts=True) for i in "ab"
    )
    digests = [
        (before[INDEX], now[INDEX], "images or labels of the data set changed"),
        (before["splits"], now["splits"], "the division into splits changed"),
        (code_hash("workflow_scripts.summarise"), config_hash(config), "its code changed"),
    ]
    for old, new, explained in digests:
        assert list(explain_change("index_dataset", [repr(old)], [repr(new)])) == [explained]


def test_the_summary_knows_settings_and_code_by_hashes_only() -> None:
    words = ["'bf08f530d6b8'"], ["'9bf6dd960999'"]
    assert list(explain_change("summarise", *words)) == ["settings or code changed"]
