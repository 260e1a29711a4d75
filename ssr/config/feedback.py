"""Feedback: what a segmenter says of images becomes the CAMs of its method's next round, a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ssr.config.ablations import DEFAULT_METHODS, FULLY_SUPERVISED
from ssr.config.section import NULL, Rounds

DEFAULT_SEGMENTERS = ("ssr",)
_ROUNDS = TypeAdapter(Rounds)


def with_feedback(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` of a configuration, with a method for each round that they ask for.

    A round has all settings of its method but for the CAMs. One that `methods` give stays as it is,
    and null drops it and those behind it. What is not understood stays for the models to refuse.
    """
    methods = values.get("methods", DEFAULT_METHODS)
    names = values.get("segmenter_methods", DEFAULT_SEGMENTERS)
    if not isinstance(methods, Mapping) or not isinstance(names, list | tuple):
        return dict(values)
    own = {name: methods[name] for name in names if isinstance(methods.get(name), Mapping)}
    own.pop(FULLY_SUPERVISED, None)
    common = values.get("feedback", 0)
    rounds = {name: _rounds(given.get("feedback", common)) for name, given in own.items()}
    if not own or None in rounds.values():
        return dict(values)
    plain = {
        name: {key: value for key, value in given.items() if key != "feedback"}
        for name, given in own.items()
    }
    rows: dict[str, Any] = {}
    for name, count in rounds.items():
        rows.update(_rows(name, count or 0, {**methods, **plain}))
    return {
        **values,
        "feedback": 0,
        "methods": {**methods, **plain, **rows},
        "segmenter_methods": (*names, *rows),
    }


def _rows(method: str, rounds: int, methods: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    own, teacher = methods[method], method
    cams = own["cams"] if isinstance(own.get("cams"), Mapping) else {}
    for number in range(1, rounds + 1):
        row = f"{method}_round{number}"
        taught = {**own, "cams": {**cams, "foreign": None, "segmenter": teacher}}
        if (settings := methods.get(row, taught)) in (None, NULL):
            return
        yield row, settings
        teacher = row


def _rounds(given: Any) -> int | None:
    """How many are asked for; None where that is not understood."""
    try:
        return _ROUNDS.validate_python(given)
    except ValidationError:
        return None
