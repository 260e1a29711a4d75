"""Which setting or code changed, from the params that only one of two runs has."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_HASH = re.compile(r"[0-9a-f]{12}")
_LONGEST = 120


def explain_change(rule: str, before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """One line for the code, for each changed setting, and for what else changed.

    `before`, `now`: the values of params, as `repr` writes them and without their names, that only
    the last run or only the next one has.
    """
    try:
        yield from _explain(rule, *([*map(ast.literal_eval, side)] for side in (before, now)))
    except (ValueError, SyntaxError):
        yield _arrow(before, now)


def _explain(rule: str, before: list[Any], now: list[Any]) -> Iterator[str]:
    if any(map(_is_hash, now)):
        # The summary records the hash of all settings, too.
        yield "settings or code changed" if rule == "summarise" else "its code changed"
    old, new = _sections(before), _sections(now)
    for section in new:
        yield from _differences(_nearest(section, old), section)
    rest = [[value for value in side if not _is_text(value)] for side in (before, now)]
    if any(rest):
        yield _arrow(*rest)


def _arrow(*sides: Sequence[Any]) -> str:
    return " → ".join(_short(", ".join(map(str, side)) or "nothing") for side in sides)


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and bool(_HASH.fullmatch(value))


def _is_text(value: Any) -> bool:
    """Whether a value is explained as code or as a section."""
    return _is_hash(value) or bool(_sections([value]))


def _sections(values: list[Any]) -> list[dict[str, Any]]:
    """Those values that are sections of the configuration, as canonical JSON, with flat keys."""
    return [_flat(json.loads(value)) for value in values if str(value).startswith("{")]


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
