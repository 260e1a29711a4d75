"""Text embeddings: unit vectors, averaged over templates, of prompts that the model knows."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer

from ssr.backbones.networks import load_clip, load_tokenizer
from ssr.backbones.text import TextEmbeddings, encode_prompts, encode_text
from ssr.config import DEFAULT_BACKGROUNDS, Text
from ssr.errors import InputError
from tests import ROOT
from tests.backbone_models import tiny_clip

TEMPLATES = ("a clean origami {}.", "{} on a table")


@pytest.fixture
def clip(tmp_path: Path) -> CLIP:
    return load_clip(tiny_clip(tmp_path), "cpu")


@pytest.fixture
def tokenizer(tmp_path: Path) -> SimpleTokenizer:
    return load_tokenizer(tiny_clip(tmp_path))


def encode(clip: CLIP, tokenizer: SimpleTokenizer, *sentences: str) -> torch.Tensor:
    return F.normalize(clip.encode_text(tokenizer(list(sentences))), dim=-1)


def test_embeddings_are_means_of_unit_vectors(clip: CLIP, tokenizer: SimpleTokenizer) -> None:
    features = encode_prompts(clip, tokenizer, TEMPLATES, ["cat", "dog"])
    for name, feature in zip(["cat", "dog"], features, strict=True):
        both = encode(clip, tokenizer, f"a clean origami {name}.", f"{name} on a table")
        torch.testing.assert_close(feature, F.normalize(both.mean(0), dim=-1))
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(2))
    assert not torch.allclose(features[0], features[1])


def test_all_prompts_go_through_the_model_at_once(
    clip: CLIP, tokenizer: SimpleTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = []
    original = clip.encode_text
    monkeypatch.setattr(
        clip, "encode_text", lambda tokens: batches.append(len(tokens)) or original(tokens)
    )
    settings = Text(templates=TEMPLATES, backgrounds=("sky", "sea"))
    encode_text(clip, tokenizer, settings, ["cat", "dog", "cow"])
    assert batches == [10]


def test_prompts_of_classes_replace_their_names(clip: CLIP, tokenizer: SimpleTokenizer) -> None:
    settings = Text(templates=("a {}.",), prompts={"bird": "bird avian"}, backgrounds=("sky",))
    embeddings = encode_text(clip, tokenizer, settings, ["cat", "bird"])
    expected = encode(clip, tokenizer, "a cat.", "a bird avian.", "a sky.").numpy()
    np.testing.assert_allclose(embeddings.classes, expected[:2], atol=1e-6)
    np.testing.assert_allclose(embeddings.backgrounds, expected[2:], atol=1e-6)
    assert embeddings.names.tolist() == ["cat", "bird", "sky"]


def test_logit_scale_is_the_factor_of_the_cosine(clip: CLIP, tokenizer: SimpleTokenizer) -> None:
    clip.logit_scale.fill_(np.log(50.0))
    embeddings = encode_text(clip, tokenizer, Text(), ["cat"])
    np.testing.assert_allclose(embeddings.logit_scale, 50.0, rtol=1e-5)


def test_written_embeddings_are_read_back(
    clip: CLIP, tokenizer: SimpleTokenizer, tmp_path: Path
) -> None:
    embeddings = encode_text(clip, tokenizer, Text(), ["cat", "dog"])
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    embeddings.write(first)
    embeddings.write(second)
    assert first.read_bytes() == second.read_bytes()
    again = TextEmbeddings.read(first)
    for name in ("classes", "backgrounds", "names", "logit_scale"):
        assert np.array_equal(getattr(again, name), getattr(embeddings, name))
    assert again.classes.dtype == again.backgrounds.dtype == np.float32
    first.write_bytes(first.read_bytes()[:50])
    with pytest.raises(InputError, match=r"first\.npz: expected what encode_text writes"):
        TextEmbeddings.read(first)


def test_a_template_needs_a_place_for_the_prompt(clip: CLIP, tokenizer: SimpleTokenizer) -> None:
    with pytest.raises(InputError, match=r"'a photo' has no \{\}"):
        encode_prompts(clip, tokenizer, ["{}.", "a photo"], ["cat"])


def test_braces_in_a_prompt_are_text(clip: CLIP, tokenizer: SimpleTokenizer) -> None:
    features = encode_prompts(clip, tokenizer, ["a {}."], ["{0}"])
    torch.testing.assert_close(features, encode(clip, tokenizer, "a {0}."))


def test_a_prompt_beyond_the_context_is_refused(clip: CLIP, tokenizer: SimpleTokenizer) -> None:
    words = " ".join(["cat"] * 30)
    assert encode_prompts(clip, tokenizer, ["{}"], [words]).shape == (1, 24)
    with pytest.raises(InputError, match="has 31 tokens; the CLIP model takes at most 30"):
        encode_prompts(clip, tokenizer, ["{}"], [words + " cat"])


def test_a_word_that_a_small_clip_never_saw_is_refused(
    clip: CLIP, tokenizer: SimpleTokenizer
) -> None:
    for token in tokenizer.encode("zebra"):
        clip.token_embedding.weight[token] = 0
    assert encode_prompts(clip, tokenizer, ["a {}"], ["cat"]).shape == (1, 24)
    with pytest.raises(InputError, match="never seen 'zebra' of 'a zebra'"):
        encode_prompts(clip, tokenizer, ["a {}"], ["cat", "zebra"])


def test_default_backgrounds_are_those_of_clip_es() -> None:
    assert len(DEFAULT_BACKGROUNDS) == len(set(DEFAULT_BACKGROUNDS)) == 25


def test_default_backgrounds_are_told_to_the_user() -> None:
    document = ROOT / "docs" / "own_data.md"
    assert ", ".join(DEFAULT_BACKGROUNDS) in " ".join(document.read_text().split())
