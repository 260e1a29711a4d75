"""Which setting or code changed, from the params that only one of two runs has."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# What stands for code, settings or files, after the word for what it is if it needs one: no digest
# is of use to people.
_DIGEST = re.compile(r"(?:(\w+) )?[0-9a-f]{12}")
_CODE = "its code"
_MEANT = {
    "files": "files of the data set",
    "images": "images or labels of this part of the data set",
    "masks": "masks of this split",
    "splits": "the division into splits",
    "templates": "templates of the page",
}
# Of rules whose digests stand for something else.
_OWN = {
    ("summarise", _CODE): "settings or code",  # the summary records the hash of all settings, too
    ("index_dataset", "files"): "images or labels of the data set",
    ("index_masks", "files"): "masks of the data set",
    ("import_cams", "files"): "CAMs of the other system",
    ("import_predictions", "files"): "predictions of the other system",
}
_LONGEST = 120


def explain_change(rule: str, before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """One line for each digest, for each changed setting, and for what else changed.

    `before`, `now`: the values of params, as `repr` writes them and without their names, that only
    the last run or only the next one has.
    """
    old, new = ([*map(_value, side)] for side in (before, now))
    explained = [*_digests(rule, old, new), *_settings(old, new), *_others(old, new)]
    yield from explained or ["its settings changed"]


def _digests(rule: str, before: list[Any], now: list[Any]) -> Iterator[str]:
    old, new = ([*filter(None, map(_kind, side))] for side in (before, now))
    for kind in dict.fromkeys([*new, *old]):
        meant = _OWN.get((rule, kind)) or _MEANT.get(kind, kind)
        if kind not in old:  # by an earlier version
            yield f"{meant}: not recorded before"
        else:
            yield f"{meant} changed" if kind in new else f"{meant}: no longer recorded"


def _settings(before: list[Any], now: list[Any]) -> Iterator[str]:
    for section in _sections(now):
        yield from _differences(_nearest(section, _sections(before)), section)


def _others(*sides: list[Any]) -> Iterator[str]:
    rest = [[value for value in side if not _is_text(value)] for side in sides]
    if any(rest):
        yield " → ".join(_short(", ".join(map(str, side)) or "nothing") for side in rest)


def _kind(value: Any) -> str | None:
    """What a digest stands for; None: the value is none."""
    matched = _DIGEST.fullmatch(value) if isinstance(value, str) else None
    return (matched[1] or _CODE) if matched else None


def _value(text: str) -> Any:
    """The value that `repr` wrote, or the text where it wrote none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _is_text(value: Any) -> bool:
    """Whether a value is explained as a digest or as a section."""
    return _kind(value) is not None or _section(value) is not None


def _sections(values: list[Any]) -> list[dict[str, Any]]:
    """Those values that are sections of the configuration, as canonical JSON, with flat keys."""
    return [_flat(section) for section in map(_section, values) if section is not None]


def _section(value: Any) -> dict[str, Any] | None:
    try:
        parsed = json.loads(value)
    except (ValueError, TypeError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _flat(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _nearest(section: Mapping[str, Any], others: list[dict[str, Any]]) -> dict[str, Any]:
    """The section that shares most keys."""
    return max(others, key=lambda other: len(other.keys() & section.keys()), default={})


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield f"{key} {_short(str(old.get(key)))} → {_short(str(new.get(key)))}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
