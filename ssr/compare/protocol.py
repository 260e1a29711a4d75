"""How a figure was measured, in words, so that what differs can be named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ssr.config import Config, Crf

Protocol = Mapping[str, str]
"""By name, what a figure depends on besides the method; what has no part in it is missing."""

OF_IMAGES = ("classes", "images")
"""Where these agree, figures can be paired image by image."""
_DIGITS = 6


def protocol_of(figures: Mapping[str, Any], ids: Sequence[str], config: Config) -> Protocol:
    """The protocol of an evaluation.

    In brackets stand digests, of the names of the classes, and of the ids of the images with the
    known pixels of each class: equal ones mean the same classes, images and masks.

    Args:
        figures: what `ssr.evaluation.evaluation.write_evaluation` wrote.
        ids: of its images.
        config: the settings of its method.
    """
    found = {
        "classes": f"{len(figures['classes'])} ({_digest(figures['classes'])})",
        "split": figures["split"],
        "images": f"{figures['images']} ({_digest([sorted(ids), _known_pixels(figures)])})",
        "scales": _scales(figures),
        "flip": None if figures["flip"] is None else _yes(figures["flip"]),
        "CRF": _crf(figures, config),
        "background threshold": _threshold(figures),
        "supervision": _supervision(config),
    }
    return {name: words for name, words in found.items() if words is not None}


def _supervision(config: Config) -> str:
    if config.prediction.foreign:
        return "unknown"
    return "masks" if config.learns_from_masks else "image labels"


def differences(protocol: Protocol, other: Protocol) -> list[str]:
    """In what `protocol` differs from the `other`, such as "split train instead of val"."""
    names = dict.fromkeys([*other, *protocol])
    return [
        f"{name} {protocol.get(name, 'none')} instead of {other.get(name, 'none')}"
        for name in names
        if protocol.get(name) != other.get(name)
    ]


def in_words(protocol: Protocol) -> str:
    """All of it."""
    return ", ".join(f"{name} {words}" for name, words in protocol.items())


def _known_pixels(figures: Mapping[str, Any]) -> list[int]:
    """Of each class in the masks, those that got no label included."""
    rows = zip(figures["confusion"], figures["abstained"], strict=True)
    return [sum(row) + abstained for row, abstained in rows]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_DIGITS]


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _scales(figures: Mapping[str, Any]) -> str | None:
    return figures["scales"] and ", ".join(f"{scale:g}" for scale in figures["scales"])


def _crf(figures: Mapping[str, Any], config: Config) -> str:
    """No, or yes with what was changed."""
    if not figures["crf"]:
        return "no"
    used = config.labels.crf if figures["stage"] == "pseudo_label" else config.crf
    plain = Crf().model_dump()
    own = (used or Crf()).model_dump()
    changed = [f"{name} {value:g}" for name, value in own.items() if value != plain[name]]
    return " with ".join(["dense", *([", ".join(changed)] if changed else [])])


def _threshold(figures: Mapping[str, Any]) -> str | None:
    if figures["threshold"] is None:
        return None
    origin = figures["threshold_from"]
    if not origin:
        return "a setting"
    what = f"{origin['split']} ({origin['images']} images)"
    return (
        f"chosen on {what}" if figures["protocol"] == "held_out" else f"the best on {what} itself"
    )
