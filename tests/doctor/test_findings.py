"""How findings are printed."""

from __future__ import annotations

from ssr.doctor.findings import Finding, lines


def test_findings_are_grouped_with_their_commands_and_counted() -> None:
    found = [Finding("damaged", "a", "rm a"), Finding("damaged", "b"), Finding("stale", "c")]
    assert lines(found) == [
        "damaged:",
        "  a",
        "      rm a",
        "  b",
        "stale:",
        "  c",
        "3 findings",
    ]
    assert lines(found[:1])[-1] == "1 finding"


def test_a_sound_folder_has_no_findings() -> None:
    assert lines([]) == ["no findings"]
