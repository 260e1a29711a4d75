"""What segmenters, feedback and joint training (Eq. 12) ask of other settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ssr.config import Config
from ssr.config.section import NULL
from ssr.config.seeds import method_of_row, own_seeds


def joint_training_has_heads(config: Config) -> Iterator[str]:
    """A line for each setting without which there are no heads that both losses reach."""
    segmenter, alignment = config.segmenter, config.alignment
    if not segmenter.joint or not config.segmenter_methods:
        return
    whole = None if segmenter.micro_batch is None else segmenter.batch_size
    for key, came, wanted in (
        ("segmenter.config", segmenter.config, None),
        ("segmenter.text", segmenter.text, True),
        ("segmenter.micro_batch", segmenter.micro_batch, whole),
        ("alignment.enabled", alignment.enabled, True),
        ("alignment.trains", alignment.trains, "heads"),
        ("prototypes.pooling", config.prototypes.pooling, "before"),
    ):
        if came != wanted:
            yield f"{key}: {_written(wanted)} where segmenter.joint is true; came {_written(came)}"
    if alignment.looks_at_images:
        yield "alignment.loss: of samples where segmenter.joint is true; came image_labels"


def _written(value: object) -> str:
    """As in a file of settings."""
    return value if isinstance(value, str) else json.dumps(value)


def segmenters_name_methods(config: Config) -> Iterator[str]:
    """A line, if what goes on to a segmenter is no method."""
    if unknown := sorted(set(config.segmenter_methods) - set(config.methods)):
        yield f"segmenter_methods names {unknown}, allowed: {list(config.methods)}"


def rounds_have_a_segmenter(config: Config) -> Iterator[str]:
    """Feedback without one is refused, a line each."""
    able = _teachers(config)
    asked = {
        f"methods.{name}.feedback": own.get("feedback")
        for name, own in _named(config).items()
        if name not in able
    }
    for key, rounds in {**asked, **({} if able else {"feedback": config.feedback})}.items():
        if rounds:
            yield f"{key}: 0 without a segmenter that learns from CAMs; came {rounds}"


def teachers_come_first(config: Config) -> Iterator[str]:
    """So that no method learns from itself; a line for each teacher that is none."""
    if config.cams.segmenter:
        yield f"cams.segmenter: of a method, not of all; came {config.cams.segmenter}"
    able, named = _teachers(config), _named(config)
    for number, (method, own) in enumerate(named.items()):
        key, cams = f"methods.{method}.cams.segmenter", _given(own, "cams")
        teacher, foreign = cams.get("segmenter"), cams.get("foreign", config.cams.foreign)
        if teacher in (None, NULL):
            continue
        if foreign not in (None, NULL):
            yield f"{key}: null where cams.foreign is {foreign}; came {teacher}"
        allowed = [name for name in [*named][:number] if name in able]
        if teacher not in allowed:
            yield (
                f"{key}: a method in front of it whose segmenter learns from CAMs, one of "
                f"{allowed}; came {teacher}"
            )
        elif lacking := {*_seeds(config, method)} - {*_seeds(config, teacher)}:
            yield f"{key}: {teacher} is not trained with {sorted(lacking)} of the seeds"


def _teachers(config: Config) -> list[str]:
    """Methods with a segmenter that has seen no masks."""
    return [
        name
        for name in config.segmenter_methods
        if _given(config.methods.get(name, {}), "labels").get("source") != "masks"
    ]


def _named(config: Config) -> dict[str, dict[str, Any]]:
    """The methods without the rows of their further seeds."""
    first = {name: method_of_row(name, _seeds(config, name)[0]) for name in config.methods}
    return {
        name: own
        for name, own in config.methods.items()
        if first[name] == name or first[name] not in config.methods
    }


def _seeds(config: Config, method: str) -> tuple[int, ...]:
    return own_seeds(config.methods[method], config.seeds)


def _given(overrides: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """What a method says of a section; nothing, where that is refused elsewhere."""
    given = overrides.get(section, {})
    return given if isinstance(given, Mapping) else {}


RULES_OF_METHODS = (
    (("segmenter_methods", "methods"), segmenters_name_methods),
    (("feedback", "methods", "segmenter_methods"), rounds_have_a_segmenter),
    (("seeds", "cams", "methods", "segmenter_methods"), teachers_come_first),
)
"""What is asked of all methods together: of sections that must be sound, each by a function."""
