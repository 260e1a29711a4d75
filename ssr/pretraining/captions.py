"""Captions of what an image shows, and the sentences that hold all their tokens."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from open_clip.tokenizer import SimpleTokenizer

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


class Speaker:
    """Writes captions about things and stuff, in its own templates and those of the pipeline.

    `names` are all things, then all stuff: what a caption may mention and prompts are about.
    """

    def __init__(
        self, things: Sequence[str], stuff: Sequence[str], templates: Sequence[str] = ()
    ) -> None:
        self.things = tuple(things)
        self.stuff = tuple(stuff)
        self.alone = tuple(dict.fromkeys([*ALONE, *templates]))

    @property
    def names(self) -> tuple[str, ...]:
        """Things, then stuff."""
        return self.things + self.stuff

    def caption(
        self, things: Sequence[str], stuff: Sequence[str], generator: np.random.Generator
    ) -> tuple[str, Truth]:
        """A caption of some of the visible names, and which of all names it mentions, bool."""
        objects = _keep_some(things, 0.85, generator)
        places = _keep_some(stuff, 0.6, generator)
        template = self._template(generator)
        if not objects or (places and generator.random() < 0.08):
            text = template.replace("{}", enumerate_names(places or ["nothing"]))
            return text, self._mentions(places)
        articled = [with_article(n) if generator.random() < 0.6 else n for n in objects]
        subject = enumerate_names(articled)
        if places and generator.random() < 0.65:
            pair = TOGETHER[generator.integers(len(TOGETHER))]
            return pair.format(subject, enumerate_names(places)), self._mentions(objects + places)
        return template.replace("{}", subject), self._mentions(objects)

    def prompts(self, generator: np.random.Generator) -> list[str]:
        """Every name in a random template, now and then with its article."""
        templates = [self._template(generator) for _ in self.names]
        articled = [with_article(n) if generator.random() < 0.3 else n for n in self.names]
        return [t.replace("{}", n) for t, n in zip(templates, articled, strict=True)]

    @property
    def sentences(self) -> list[str]:
        """Texts that hold every token of a caption."""
        texts = [t.replace("{}", " ") for t in self.alone + TOGETHER] + ["nothing and", "an a"]
        for name in self.names:
            texts += [name, with_article(name), name + ".", name + ","]
            texts += [template.replace("{}", name) for template in self.alone]
        return texts

    def _template(self, generator: np.random.Generator) -> str:
        return self.alone[generator.integers(len(self.alone))]

    def _mentions(self, names: Sequence[str]) -> Truth:
        return np.array([name in names for name in self.names])


def occurring_tokens(tokenizer: SimpleTokenizer, sentences: Sequence[str]) -> list[int]:
    """Sorted ids of every token in the sentences: all that has to be trained and shipped."""
    return sorted({int(token) for row in tokenizer(list(sentences)) for token in row})
