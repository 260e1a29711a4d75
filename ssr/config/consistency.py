"""What settings of several sections ask of each other; and what is allowed, but hardly meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ssr.config import FULLY_SUPERVISED, Backbones, Config, Text
from ssr.config.architectures import clip_architecture, dino_architecture
from ssr.config.duplicates import repeated_keys
from ssr.config.methods import ENTERING_FROM_MASKS, method_config, rows_of_methods
from ssr.config.objective import RULES_OF_METHODS, joint_training_has_heads
from ssr.config.seeds import method_of_row
from ssr.demo.vocabulary import CLASSES, STUFF

# All words that the demo's CLIP has seen, besides the names of what is drawn.
_IN_CAPTIONS = (
    *("a", "an", "and", "background", "clean", "front", "image", "in", "is", "nothing", "of", "on"),
    *("origami", "photo", "picture", "rendering", "scene", "the", "there", "with"),
)
DEMO_WORDS = frozenset((*CLASSES, *STUFF, *_IN_CAPTIONS))
_DEMO = Backbones()
_DEFAULTS = Config()


def contradictions(
    config: Config, unsound: Collection[str] = (), method: str | None = None
) -> Iterator[str]:
    """What settings say against each other, a line each.

    Args:
        config: each of its sections is sound by itself.
        unsound: sections that are not what the user gave; what rests on them is not judged.
        method: whose settings they are; None: those of all methods.
    """
    for sections, rule in _RULES if method else (*_RULES, *RULES_OF_METHODS):
        if not set(sections) & set(unsound):
            yield from rule(config)
    if "labels" not in unsound:
        yield from _name_says_who_sees_masks(config, method)
    yield from _predictions_of_others_stand_alone(config, method)


def _name_says_who_sees_masks(config: Config, method: str | None) -> Iterator[str]:
    named = method is not None and method_of_row(method, config.seed) == FULLY_SUPERVISED
    if named != config.learns_from_masks:
        told = f"masks, for the method {FULLY_SUPERVISED} and for no other"
        yield f"labels.source: {told}; came {config.labels.source}"


def _predictions_of_others_stand_alone(config: Config, method: str | None) -> Iterator[str]:
    leading = (None, next(iter(config.methods)), *config.segmenter_methods)
    if config.prediction.foreign and method in leading:
        told = "of a method behind the first that is none of segmenter_methods"
        yield f"prediction.foreign: {told}; came {method or 'all methods'}"


def _prompts_name_classes(config: Config) -> Iterator[str]:
    if unknown := sorted(set(config.text.prompts) - set(config.data.classes)):
        yield f"text.prompts names {unknown}, not among data.classes"


def _foreign_files_are_named(config: Config) -> Iterator[str]:
    for section, what in (("cams", "CAMs"), ("prediction", "predictions")):
        offered = [name for name, own in config.foreign.items() if own.stands_in_for == section]
        if (named := getattr(config, section).foreign) not in (None, *offered):
            yield f"{section}.foreign: one of foreign with {what}, {offered}; came {named}"


def _backbones_fit(config: Config) -> Iterator[str]:
    clip = clip_architecture(config.backbones.clip.model)
    dino = dino_architecture(config.backbones.dino.model)
    features, segmenter = config.features, config.segmenter
    if config.images.patch != clip.patch:
        yield f"images.patch: CLIP's is {clip.patch}; came {config.images.patch}"
    if (blocks := features.clip_attention_blocks) > clip.depth:
        yield f"features.clip_attention_blocks: CLIP has {clip.depth}; came {blocks}"
    if (blocks := features.dino_attention_blocks) > dino.depth:
        yield f"features.dino_attention_blocks: DINO has {dino.depth}; came {blocks}"
    if segmenter.config is not None or not config.segmenter_methods:
        return
    if segmenter.crop_size % clip.patch:
        yield (
            f"segmenter.crop_size: a multiple of CLIP's patch {clip.patch}; "
            f"came {segmenter.crop_size}"
        )
    blocks_named = () if isinstance(segmenter.blocks, str) else segmenter.blocks
    if (last := max(blocks_named, default=0)) >= clip.depth:
        yield f"segmenter.blocks: CLIP has 0 to {clip.depth - 1}; came {last}"


def _model_files_are_clear(config: Config) -> Iterator[str]:
    for model in (config.backbones.clip.model, config.backbones.dino.model):
        if model.endswith(".json"):
            yield from repeated_keys(Path(model))


def _threshold_has_a_source(config: Config) -> Iterator[str]:
    if config.data.masks is None and config.labels.threshold is None:
        yield (
            "labels.threshold must be a number where data.masks is null: without masks none "
            "can be chosen; 0.5 is a start"
        )


def _masks_are_there(config: Config) -> Iterator[str]:
    if config.learns_from_masks and config.data.masks is None:
        yield "labels.source: masks needs those of train, and data.masks is null"


def _weakly_supervised_come_first(config: Config) -> Iterator[str]:
    if next(iter(config.methods)) == FULLY_SUPERVISED:
        yield (
            f"methods: {FULLY_SUPERVISED} stands behind the method that is held against it, such "
            "as ssr: {}; it came first"
        )


def _pooling_has_samples(config: Config) -> Iterator[str]:
    if not config.pools_behind or not config.alignment.enabled:
        return
    after = config.prototypes.pooling == "after"
    if after and config.alignment.looks_at_images:
        yield "prototypes.pooling: after needs a loss of samples; came alignment.loss image_labels"
    if config.prototypes.sample != "pooled":
        asking = "prototypes.pooling: after" if after else "alignment.trains: last_block"
        yield f"{asking} needs prototypes.sample pooled; came {config.prototypes.sample}"


def _backgrounds_have_a_judge(config: Config) -> Iterator[str]:
    tunes = config.alignment.enabled and config.alignment.trains == "last_block"
    if tunes and config.aligned_cams.background == "clip":
        yield (
            "aligned_cams.background: clip needs alignment.trains heads; came last_block, behind "
            "which no patch is CLIP's own"
        )


def _demo_knows_the_words(config: Config) -> Iterator[str]:
    if config.backbones.clip.weights != _DEMO.clip.weights:
        return
    given = {
        "data.classes, text.prompts": map(config.text.prompt, config.data.classes),
        "text.backgrounds": config.text.offered_backgrounds,
        "text.templates": config.text.templates,
    }
    for key, texts in given.items():
        words = re.findall(r"\w+", " ".join(texts).casefold())
        if unknown := [word for word in dict.fromkeys(words) if word not in DEMO_WORDS]:
            yield (
                f"{key}: the demo's CLIP has never seen {', '.join(unknown)}; "
                f"{_instead(config.data.format)}"
            )


def _instead(form: str) -> str:
    """The file with backbones for photographs, and where it is named."""
    file = form if form in ("voc", "coco") else "photographs"
    return f"real backbones are in config/{file}.yaml: --configfile config/{file}.yaml YOURS.yaml"


_RULES: tuple[tuple[tuple[str, ...], Callable[[Config], Iterator[str]]], ...] = (
    (("text", "data"), _prompts_name_classes),
    (("cams", "prediction", "foreign"), _foreign_files_are_named),
    (("backbones", "images", "features", "segmenter", "segmenter_methods"), _backbones_fit),
    (("backbones",), _model_files_are_clear),
    (("data", "labels"), _threshold_has_a_source),
    (("data", "labels"), _masks_are_there),
    (("methods",), _weakly_supervised_come_first),
    (("prototypes", "alignment"), _pooling_has_samples),
    (("alignment", "aligned_cams"), _backgrounds_have_a_judge),
    (("segmenter", "alignment", "prototypes"), joint_training_has_heads),
    (("backbones", "data", "text"), _demo_knows_the_words),
)


def doubts(config: Config) -> list[str]:
    """What is allowed, but hardly meant, a line each; of the first method before the others."""
    found: dict[str, str] = {}
    for number, method in enumerate(rows_of_methods(config)):
        resolved = method_config(config, method)
        for doubt in (doubt for ask in _DOUBTS for doubt in ask(resolved)):
            found.setdefault(doubt, f"methods.{method}.{doubt}" if number else doubt)
    without_use = [*_settings_without_use(config), *_sections_without_use(config)]
    return [*found.values(), *without_use, *_equal_methods(config)]


def _equal_methods(config: Config) -> Iterator[str]:
    first: dict[str, str] = {}
    for method in rows_of_methods(config):
        same = first.setdefault(method_config(config, method).canonical(), method)
        if same != method:
            yield f"methods.{method} is the same as {same}: none of their settings differs"


def _backbones_of_the_demo(config: Config) -> Iterator[str]:
    used = [
        name
        for name in ("clip", "dino")
        if getattr(config.backbones, name).weights == getattr(_DEMO, name).weights
    ]
    if used and config.data.format != "demo":
        yield (
            f"backbones.{' and '.join(used)}: the demo's have seen nothing but its drawn scenes; "
            f"if these images are photographs, {_instead(config.data.format)}"
        )


def _backgrounds_of_another_world(config: Config) -> Iterator[str]:
    text = config.text
    if not text.backgrounds:
        yield (
            "text.backgrounds is empty; CAMs without backgrounds are poor, so these stand in: "
            + ", ".join(text.offered_backgrounds)
        )
    elif config.data.format != "demo" and text.backgrounds == Text().backgrounds:
        yield (
            "text.backgrounds is the list of the demo's world; name what surrounds the objects in "
            "these images, or CAMs will cover it (docs/own_data.md, Classes and backgrounds)"
        )


def _prompts_that_compete(config: Config) -> Iterator[str]:
    text = config.text
    backgrounds = {name.casefold() for name in text.offered_backgrounds}
    owners: dict[str, list[str]] = {}
    for name in config.data.classes:
        prompt = text.prompt(name).casefold()
        owners.setdefault(prompt, []).append(name)
        if shared := {name.casefold(), prompt} & backgrounds:
            yield (
                f"text.backgrounds: {min(shared)} is the class {name}, too, and takes its patches; "
                "name backgrounds without it"
            )
    for prompt, names in owners.items():
        if len(names) > 1:
            yield (
                f"text.prompts: {' and '.join(names)} have one prompt, {prompt}; CLIP can't tell "
                "them apart"
            )


# Settings of a section, another one of it, and the only value of that with which they are used.
_USED = (
    ("cams", ("gradient",), "score", "gradient", "Grad-CAM"),
    ("aligned_cams", ("gradient",), "score", "gradient", "Grad-CAM"),
    ("alignment", ("layers", "width", "residual"), "trains", "heads", "heads"),
)


def _settings_without_use(config: Config) -> Iterator[str]:
    for section, names, chooser, needed, what in _USED:
        default = getattr(_DEFAULTS, section)
        for place, given, chosen in _places(config, section, chooser):
            for name in names:
                if given.get(name, getattr(default, name)) == getattr(default, name):
                    continue
                if needed not in chosen:
                    yield (
                        f"{place}.{name} changes nothing where {place}.{chooser} is "
                        f"{' or '.join(sorted(chosen))}; it is of {what}, {chooser}: {needed}"
                    )


def _sections_without_use(config: Config) -> Iterator[str]:
    trained = {path.partition(".")[0] for path in ENTERING_FROM_MASKS["prediction_crf"]}
    for method in rows_of_methods(config):
        own, given = method_config(config, method), {*config.methods[method]}
        if own.prediction.foreign:
            given, why = given - {"prediction"}, "it is the predictions of another system"
        elif own.learns_from_masks:
            given, why = given - trained, "it learns from masks, not CAMs"
        else:
            continue
        yield from (f"methods.{method}.{name} changes nothing: {why}" for name in sorted(given))


def _places(
    config: Config, section: str, chooser: str
) -> Iterator[tuple[str, Mapping[str, Any], set[Any]]]:
    """Where a section is given: its name, its settings, and all that `chooser` is there."""
    common = getattr(config, section).model_dump()
    own = {method: config.methods[method].get(section, {}) for method in rows_of_methods(config)}
    taken = {method: each.get(chooser, common[chooser]) for method, each in own.items()}
    yield section, common, {*taken.values()}
    for method, each in own.items():
        yield f"methods.{method}.{section}", each, {taken[method]}


_DOUBTS = (
    _backbones_of_the_demo,
    _backgrounds_of_another_world,
    _prompts_that_compete,
)
