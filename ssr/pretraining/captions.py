"""Captions of what is visible, and the tokens that they can ever contain."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from open_clip.tokenizer import SimpleTokenizer

from ssr.demo.vocabulary import CLASSES, STUFF

CONTEXT_LENGTH = 32
ALONE: tuple[str, ...] = (
    "a photo of {}.",
    "a clean origami {}.",
    "{}",
    "a picture of {}.",
    "an image of {}.",
    "there is {} in the scene.",
    "a rendering of {}.",
)
TOGETHER: tuple[str, ...] = (
    "a photo of {} on {}.",
    "{} with {}.",
    "{}, {}.",
    "a picture of {} in front of {}.",
    "a photo of {} and {} background.",
)
Truth = NDArray[np.bool_]


def with_article(name: str) -> str:
    """Name with its indefinite article, as in "an aeroplane"."""
    return ("an " if name[0] in "aeiou" else "a ") + name


def enumerate_names(names: Sequence[str]) -> str:
    """Names as prose lists them: "a, b and c"."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _keep_some(
    names: Sequence[str], probability: float, generator: np.random.Generator
) -> list[str]:
    shuffled = [names[i] for i in generator.permutation(len(names))]
    return [n for i, n in enumerate(shuffled) if i == 0 or generator.random() < probability]


def _mentions(names: Sequence[str]) -> Truth:
    return np.array([n in names for n in CLASSES + STUFF])


def caption(
    objects: Sequence[str], stuff: Sequence[str], generator: np.random.Generator
) -> tuple[str, Truth]:
    """A caption of some of the visible names, and which of the 17 it mentions, (17,) bool."""
    things = _keep_some(objects, 0.85, generator)
    places = _keep_some(stuff, 0.6, generator)
    template = ALONE[generator.integers(len(ALONE))]
    if not things or (places and generator.random() < 0.08):
        return template.format(enumerate_names(places or ["nothing"])), _mentions(places)
    articled = [with_article(n) if generator.random() < 0.6 else n for n in things]
    subject = enumerate_names(articled)
    if places and generator.random() < 0.65:
        pair = TOGETHER[generator.integers(len(TOGETHER))]
        return pair.format(subject, enumerate_names(places)), _mentions(things + places)
    return template.format(subject), _mentions(things)


def name_prompt(name: str, generator: np.random.Generator) -> str:
    """A name in a random single-name template, now and then with its article."""
    template = ALONE[generator.integers(len(ALONE))]
    return template.format(with_article(name) if generator.random() < 0.3 else name)


def make_tokenizer() -> SimpleTokenizer:
    """CLIP's own byte-pair tokenizer at the demo's context length."""
    return SimpleTokenizer(context_length=CONTEXT_LENGTH)


def occurring_tokens(tokenizer: SimpleTokenizer) -> list[int]:
    """Sorted ids of every token that a caption can contain: all that has to be shipped."""
    names = CLASSES + STUFF
    texts = [t.replace("{}", " ") for t in ALONE + TOGETHER] + ["nothing and", "an a"]
    for name in names:
        texts += [name, with_article(name), name + ".", name + ","]
    return sorted({int(token) for row in tokenizer(texts) for token in row})
