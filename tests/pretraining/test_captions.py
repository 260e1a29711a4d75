"""Captions say nothing that can't be seen, in words whose tokens are shipped."""

import numpy as np
import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer

from ssr.demo.vocabulary import CLASSES, STUFF
from ssr.errors import InputError
from ssr.pretraining.captions import Speaker, occurring_tokens
from ssr.pretraining.clip import Vocabulary, multi_positive_loss

DEMO = Speaker(CLASSES, STUFF)
OWN = Speaker(
    ("hair drier", "person with clothes,people,human"), ("background",), ("many {}s at sea",)
)


@pytest.fixture(scope="module")
def tokenizer() -> SimpleTokenizer:
    return SimpleTokenizer(context_length=32)


def test_a_caption_mentions_exactly_what_it_reports() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        objects = [n for n in CLASSES if generator.random() < 0.2]
        stuff = [n for n in STUFF if generator.random() < 0.3]
        text, mentioned = DEMO.caption(objects, stuff, generator)
        words = text.replace(",", " ").replace(".", " ").split()
        named = [n for n, said in zip(CLASSES + STUFF, mentioned, strict=True) if said]
        assert set(named) == set(words) & set(CLASSES + STUFF)
        assert set(named) <= {*objects, *stuff}


@pytest.mark.parametrize("speaker", [DEMO, OWN])
def test_every_caption_consists_of_shipped_tokens(
    speaker: Speaker, tokenizer: SimpleTokenizer
) -> None:
    generator = np.random.default_rng(1)
    shipped = set(occurring_tokens(tokenizer, speaker.sentences))
    texts = [speaker.caption(speaker.things, speaker.stuff, generator)[0] for _ in range(100)]
    texts += [prompt for _ in range(20) for prompt in speaker.prompts(generator)]
    assert set(tokenizer(texts).flatten().tolist()) <= shipped
    assert len(shipped) < 60


def test_the_pipelines_own_templates_are_spoken() -> None:
    generator = np.random.default_rng(2)
    prompts = {prompt for _ in range(40) for prompt in OWN.prompts(generator)}
    assert "many backgrounds at sea" in prompts


def test_a_compact_vocabulary_numbers_its_tokens_in_their_order(
    tokenizer: SimpleTokenizer,
) -> None:
    vocabulary = Vocabulary(tokenizer, ["a bus", "a car"])
    ids, full = vocabulary(["a car"]), tokenizer(["a car"])
    assert [vocabulary.identifiers[i] for i in ids[0]] == full[0].tolist()


def test_a_sentence_beyond_the_models_length_is_refused(tokenizer: SimpleTokenizer) -> None:
    with pytest.raises(InputError, match="has 31 tokens; the CLIP model takes at most 30"):
        Vocabulary(tokenizer, ["bus " * 31])


def test_every_true_caption_is_a_positive() -> None:
    matches = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    right = multi_positive_loss(20 * matches, matches)
    assert right < multi_positive_loss(20 * torch.eye(3), matches)
