"""Methods: what each may vary, which settings enter what it makes, and what methods share.

A method is what a run with its overrides would be. Methods share every artefact up to the first
stage at which they part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, reduce
from typing import Any

from ssr.config import Alignment, Backbone, Config, Prototypes, Section
from ssr.config.seeds import row_name

_OF_THE_RUN = (
    *("dataset", "data", "evaluation", "report"),
    *("methods", "ablations", "foreign", "segmenter_methods"),
)

METHOD_SECTIONS = tuple(name for name in Config.model_fields if name not in _OF_THE_RUN)
"""Sections that a method may override."""

# Settings that enter the artefacts of a stage, by themselves or by those that the stage reads.
_TEXT = ("backbones.clip", "text")
_FEATURES = ("backbones.clip", "backbones.dino", "images", "features")
_SUPERPIXELS = ("images", "superpixels")
# CLIP's tokens alone: neither DINO nor the attention that is stored beside them.
_INITIAL = ("images", "features.precision", "features.positions", *_TEXT, "cams")
# How many prototypes there are is no matter of the samples.
_SAMPLES = (
    *_INITIAL,
    *(f"prototypes.{name}" for name in Prototypes.model_fields if name != "clusters"),
)
# Which heads are used in the end is no matter of their training.
_TRAINING = tuple(f"alignment.{name}" for name in Alignment.model_fields if name != "stop")
_HEADS = (*_INITIAL, "prototypes", *_TRAINING, "seeds.alignment")
_ALIGNED = (*_HEADS, "alignment.stop", "aligned_cams")
_REFINED = (*_ALIGNED, *_FEATURES, *_SUPERPIXELS, "refinement")
_LABELLED = (*_REFINED, "labels")
_TRAINED = (*_LABELLED, "segmenter", "seeds.segmenter")
_PREDICTED = (*_TRAINED, "prediction")
# What learns from masks shares no CAMs, for it makes none.
_FROM_MASKS = ("labels.source",)
_TAUGHT = (*_FROM_MASKS, *_TEXT, "segmenter", "seeds.segmenter")

ENTERING: Mapping[str, tuple[str, ...]] = {
    "clip": ("backbones.clip",),
    "dino": ("backbones.dino",),
    "backbones": ("backbones.clip", "backbones.dino"),
    "text": _TEXT,
    "features": _FEATURES,
    "superpixels": _SUPERPIXELS,
    "initial_cam": _INITIAL,
    "samples": _SAMPLES,
    "heads": _HEADS,
    "aligned_cam": _ALIGNED,
    "refined_cam": _REFINED,
    "pseudo_label": _LABELLED,
    "segmenter": _TRAINED,
    "prediction": _PREDICTED,
    "prediction_crf": (*_PREDICTED, "crf"),
}
"""By the name of what is made, in the order of the data: the settings on which it depends."""

ENTERING_FROM_MASKS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(ENTERING, _FROM_MASKS),
    **{name: ENTERING[name] for name in ("clip", "dino", "backbones", "text")},
    "segmenter": _TAUGHT,
    "prediction": (*_TAUGHT, "prediction"),
    "prediction_crf": (*_TAUGHT, "prediction", "crf"),
}
"""The same of a method that learns from masks."""


def method_config(config: Config, method: str) -> Config:
    """`config` with the overrides of one method, and what follows from them.

    Without masks no heads are chosen by them; where CLIP's last block is trained, samples are
    pooled behind it; CAMs of another system or a segmenter are not aligned, nor is what has none,
    and where nothing is aligned no segmenter is trained jointly with it.
    """
    return _resolved(config.model_dump_json(), method)


def rows_of_methods(config: Config) -> dict[str, dict[int, str]]:
    """The methods, each with the rows of `config.methods` that it has by its seeds.

    The first seed's row has the method's own name; the others are no methods by themselves.
    """
    found = {}
    for method in config.methods:
        seeds = method_config(config, method).seeds
        found[method] = {seed: row_name(method, seeds, seed) for seed in seeds}
    further = {row for each in found.values() for row in list(each.values())[1:]}
    return {method: each for method, each in found.items() if method not in further}


def teacher(config: Config, method: str) -> str | None:
    """The method, of the same seed, whose segmenter makes the initial CAMs of `method`, if any."""
    return _teacher(config.model_dump_json(), method)


def owner(config: Config, method: str, made: str) -> str:
    """The first method that makes the same as `method`: what is made lies under its name.

    `made` is any of `ENTERING`.
    """
    return _owners(config.model_dump_json(), made)[method]


def merge(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `overrides` laid over it, section by section."""
    merged = dict(base)
    for key, value in overrides.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            value = merge(below, value)
        merged[key] = value
    return merged


# Both are asked for once or more for every job of a plan.
@cache
def _resolved(settings: str, method: str) -> Config:
    values = json.loads(settings)
    chosen = Config.model_validate(merge(values, values["methods"][method]))
    if chosen.data.masks is None:
        chosen = _with(chosen, "alignment", stop="last")
    if chosen.pools_behind:
        chosen = _with(chosen, "prototypes", pooling="after")
    own_cams = not (chosen.cams.foreign or chosen.cams.segmenter or chosen.prediction.foreign)
    if not own_cams or chosen.learns_from_masks:
        chosen = _with(_with(chosen, "alignment", enabled=False), "segmenter", joint=False)
    return chosen


def _with(config: Config, section: str, **values: object) -> Config:
    return Config.model_validate(merge(config.model_dump(), {section: values}))


@cache
def _owners(settings: str, made: str) -> dict[str, str]:
    """The owner of what each method makes."""
    first: dict[tuple[str, ...], str] = {}
    return {
        method: first.setdefault(_entering(settings, method, made), method)
        for method in json.loads(settings)["methods"]
    }


@cache
def _entering(settings: str, method: str, made: str) -> tuple[str, ...]:
    """What stands for all on which something depends that a method makes, or its teacher."""
    config, taught_by = _resolved(settings, method), _teacher(settings, method)
    paths = _paths(config, made)
    own = tuple(text for path in paths for text in _texts(config, path))
    if taught_by and any(path.startswith("cams") for path in paths):
        return own + _entering(settings, taught_by, "prediction")
    return own


@cache
def _teacher(settings: str, method: str) -> str | None:
    config = _resolved(settings, method)
    if (named := config.cams.segmenter) is None:
        return None
    return row_name(named, _resolved(settings, named).seeds, config.seed)


def _paths(config: Config, made: str) -> tuple[str, ...]:
    if config.learns_from_masks:
        return ENTERING_FROM_MASKS[made]
    # Files of another system depend on nothing of ours, and what a segmenter says on it alone.
    if made == "initial_cam" and config.cams.foreign:
        return ("cams.foreign",)
    if made == "initial_cam" and config.cams.segmenter:
        return ("cams.segmenter",)
    if made == "prediction" and config.prediction.foreign:
        return ("prediction.foreign",)
    return ENTERING[made]


def _texts(config: Config, path: str) -> Iterator[str]:
    """What stands for a setting; for a network that is trained here, with what it learns from.

    A seed is none of what learns nothing.
    """
    if path.startswith("seeds."):
        learns = path == "seeds.segmenter" or config.alignment.enabled
        yield json.dumps(config.seed if learns else None)
        return
    value = reduce(getattr, path.split("."), config)
    yield value.canonical() if isinstance(value, Section) else json.dumps(value)
    if isinstance(value, Backbone) and value.weights == "train":
        network = path.rpartition(".")[2]
        yield config.pretraining.of(network)
        if network == "clip":
            yield config.text.canonical()
