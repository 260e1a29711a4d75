"""Words for CLIP: prompts of classes, words that it hardly knows, and what is around objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ssr.config import DEFAULT_BACKGROUNDS

THEMES = {
    "street": "road, pavement, building, wall, fence, sky, street sign, street lamp, traffic light",
    "water": "sea, river, lake, wave, beach, harbour, pier, sky, cloud, bridge",
    "garden and forest": "grass, tree, branch, leaf, bush, moss, soil, rock, path, fence, sky",
    "farm": "field, grass, hay, soil, mud, fence, barn, tree, sky, gravel",
    "rooms": "floor, wall, ceiling, carpet, curtain, window, door, table, shelf, lamp, bed",
    "kitchen": "table, plate, tray, tablecloth, counter, sink, stove, cupboard, floor, wall",
    "workshop": "concrete floor, wall, workbench, shelf, conveyor belt, pipe, cable, machine",
    "from the air": "field, forest, road, roof, water, sand, soil, shadow, car park",
}
"""Backgrounds by what is photographed: words to choose from, none of which was measured."""


def prompt_of(name: str) -> str:
    """A class in words: `street_lamp` is a street lamp."""
    return " ".join(re.sub(r"[_\-.]+", " ", name).split()) or name


def rare_words(prompts: Iterable[str]) -> list[str]:
    """Words for which CLIP's vocabulary, of what was frequent, has no piece of their own."""
    from ssr.backbones.libraries import SimpleTokenizer

    tokenizer = SimpleTokenizer()
    words = dict.fromkeys(word for prompt in prompts for word in re.findall(r"\w+", prompt))
    return [word for word in words if len(tokenizer.encode(word)) > 1]


def backgrounds(classes: Sequence[str]) -> list[str]:
    """The general list, without what is a class."""
    taken = {word.casefold() for name in classes for word in (name, prompt_of(name))}
    return [word for word in DEFAULT_BACKGROUNDS if word not in taken]
