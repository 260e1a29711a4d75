"""Prompts of classes and backgrounds as unit vectors in CLIP's joint space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ssr.artefacts.arrays import load_arrays, save_arrays
from ssr.errors import InputError

if TYPE_CHECKING:
    from open_clip.model import CLIP
    from open_clip.tokenizer import SimpleTokenizer


class TextSettings(Protocol):
    """Prompts, as in the section `text`."""

    @property
    def templates(self) -> tuple[str, ...]:
        """Sentences with {} for the prompt."""

    @property
    def prompts(self) -> Mapping[str, str]:
        """Class: prompt, where it is not the class's name."""

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Prompts of what is no class."""


@dataclass(frozen=True)
class TextEmbeddings:
    """What encode_text stores.

    classes (C, D) and backgrounds (B, D) float32, unit rows; names (C+B,) str of both in that
    order; logit_scale () float32, the factor of the cosine in CLIP's logits.
    """

    classes: NDArray[np.float32]
    backgrounds: NDArray[np.float32]
    names: NDArray[np.str_]
    logit_scale: NDArray[np.float32]

    @classmethod
    def read(cls, path: Path) -> TextEmbeddings:
        """Read what `write` wrote; an InputError names the file and the rule that makes it."""
        return load_arrays(path, cls, "encode_text")

    def write(self, path: Path) -> None:
        """Write an .npz file; equal embeddings give equal bytes."""
        save_arrays(path, self)


def encode_text(
    clip: CLIP, tokenizer: SimpleTokenizer, settings: TextSettings, classes: Sequence[str]
) -> TextEmbeddings:
    """Encode the prompts of `classes` and of the backgrounds, all in one batch."""
    prompts = [settings.prompts.get(name, name) for name in classes]
    sentences = [*prompts, *settings.backgrounds]
    features = encode_prompts(clip, tokenizer, settings.templates, sentences).cpu().numpy()
    return TextEmbeddings(
        classes=features[: len(classes)],
        backgrounds=features[len(classes) :],
        names=np.array([*classes, *settings.backgrounds]),
        logit_scale=clip.logit_scale.exp().cpu().numpy(),
    )


@torch.no_grad()
def encode_prompts(
    clip: CLIP, tokenizer: SimpleTokenizer, templates: Sequence[str], prompts: Sequence[str]
) -> Tensor:
    """Unit embeddings (n, D) of n prompts, each the mean over all templates.

    Every sentence is encoded in one batch, L2-normalised, averaged over the templates and
    normalised again (CLIP-ES, after the prompt ensembles of CLIP).

    Raises:
        InputError: a template without {}, or a sentence that the model can't take whole.
    """
    check_templates(templates)
    sentences = [template.replace("{}", prompt) for prompt in prompts for template in templates]
    tokens = tokenizer(sentences)
    check_length(tokenizer, sentences)
    _check_vocabulary(clip, tokenizer, sentences)
    features = F.normalize(clip.encode_text(tokens.to(clip.logit_scale.device)), dim=-1)
    means = features.view(len(prompts), len(templates), -1).mean(1)
    return F.normalize(means, dim=-1)


def check_templates(templates: Sequence[str]) -> None:
    """Refuse, by an InputError, a template without {}."""
    if wrong := [template for template in templates if "{}" not in template]:
        raise InputError(f"text.templates: {wrong[0]!r} has no {{}} for the prompt")


def check_length(tokenizer: SimpleTokenizer, sentences: Sequence[str]) -> None:
    """Refuse, by an InputError, a sentence that a CLIP with this tokenizer can't take whole."""
    room = (tokenizer.context_length or 0) - 2  # start and end of text
    for sentence in sentences:
        if (length := len(tokenizer.encode(sentence))) > room:
            raise InputError(
                f"text: {sentence!r} has {length} tokens; the CLIP model takes at most {room}"
            )


def _check_vocabulary(clip: CLIP, tokenizer: SimpleTokenizer, sentences: Sequence[str]) -> None:
    """Refuse words without embedding: small CLIPs ship only the tokens they were trained on."""
    known = clip.token_embedding.weight.any(dim=1)
    for sentence in sentences:
        unknown = [token for token in tokenizer.encode(sentence) if not known[token]]
        if unknown:
            raise InputError(
                f"text: the CLIP model has never seen {tokenizer.decode(unknown).strip()!r} "
                f"of {sentence!r}"
            )
