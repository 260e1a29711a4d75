"""Captions say nothing that can't be seen, in words whose tokens are shipped."""

import numpy as np
import torch

from ssr.demo import CLASSES, STUFF
from ssr.pretraining.captions import caption, make_tokenizer, name_prompt, occurring_tokens
from ssr.pretraining.clip import multi_positive_loss


def test_a_caption_mentions_exactly_what_it_reports() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        objects = [n for n in CLASSES if generator.random() < 0.2]
        stuff = [n for n in STUFF if generator.random() < 0.3]
        text, mentioned = caption(objects, stuff, generator)
        words = text.replace(",", " ").replace(".", " ").split()
        named = [n for n, said in zip(CLASSES + STUFF, mentioned, strict=True) if said]
        assert set(named) == set(words) & set(CLASSES + STUFF)
        assert set(named) <= {*objects, *stuff}


def test_every_caption_consists_of_shipped_tokens() -> None:
    generator = np.random.default_rng(1)
    tokenizer = make_tokenizer()
    shipped = set(occurring_tokens(tokenizer))
    texts = [caption(CLASSES, STUFF, generator)[0] for _ in range(100)]
    texts += [name_prompt(name, generator) for name in CLASSES + STUFF for _ in range(20)]
    assert set(tokenizer(texts).flatten().tolist()) <= shipped
    assert len(shipped) < 60


def test_every_true_caption_is_a_positive() -> None:
    matches = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    right = multi_positive_loss(20 * matches, matches)
    assert right < multi_positive_loss(20 * torch.eye(3), matches)
