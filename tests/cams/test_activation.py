"""CAMs against open_clip's own block, differentiated the slow and literal way."""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from torch import Tensor

from ssr.alignment.aligner import Aligner
from ssr.alignment.heads import AlignmentHeads, HeadOptions, new_heads
from ssr.alignment.tuned_block import TunedBlock
from ssr.backbones.last_block import load_last_block
from ssr.backbones.networks import load_clip
from ssr.backbones.text import TextEmbeddings
from ssr.cams.activation import (
    Gradient,
    ImageScores,
    Score,
    activate,
    against,
    aligned_score,
    clip_score,
    gradient_cam,
    similarity_cam,
)
from tests.backbone_models import tiny_clip

PATCHES, WIDTH, JOINT = 12, 32, 24
CLASSES, TEXTS = 3, 7  # 3 classes and 4 backgrounds


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> CLIP:
    folder: Path = tmp_path_factory.mktemp("clip")
    return load_clip(tiny_clip(folder), "cpu")


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


RESIDUAL = random(PATCHES + 1, WIDTH, seed=1)
TEXT = F.normalize(random(TEXTS, JOINT, seed=2), dim=-1)


def heads() -> AlignmentHeads:
    options = HeadOptions(dimension=JOINT, layers=1, width=16, residual=False)
    made = new_heads(options, random(50, JOINT, seed=3), TEXT, seed=4)
    return made.requires_grad_(False)


def literal_cam(clip: CLIP, residual: Tensor, score: Score, index: int) -> Tensor:
    """CAM (N,) of column `index` of the softmax, in double precision through open_clip's block."""
    visual = copy.deepcopy(clip.visual).double()
    block = visual.transformer.resblocks[-1]
    caught: list[Tensor] = []

    def catch(_: object, __: object, output: Tensor) -> None:
        output.retain_grad()
        caught.append(output)

    block.ln_1.register_forward_hook(catch)
    entering = residual.double()[None].requires_grad_()
    tokens = visual.ln_post(block(entering))[:, 1:] @ visual.proj
    score(tokens).softmax(-1)[0, index].backward()
    activation = caught[0]
    assert activation.grad is not None
    cam = torch.zeros(residual.shape[0] - 1, dtype=torch.float64)
    for channel in range(activation.shape[-1]):
        weight = activation.grad[0, 1:, channel].mean()
        cam += weight * activation[0, 1:, channel].detach()
    return cam.relu()


def projected(clip: CLIP) -> Tensor:
    visual = clip.visual
    tokens = visual.ln_post(visual.transformer.resblocks[-1](RESIDUAL[None]))
    return tokens[:, 1:] @ visual.proj


def double(score_heads: AlignmentHeads) -> AlignmentHeads:
    return copy.deepcopy(score_heads).double()


def scaled(cam: Tensor) -> Tensor:
    return (cam - cam.min()) / (cam.max() - cam.min())


@pytest.mark.parametrize("index", range(CLASSES))
def test_gradient_cam_equals_the_literal_definition(clip: CLIP, index: int) -> None:
    literal = literal_cam(clip, RESIDUAL, clip_score(TEXT.double(), 10.0), index)
    cam = gradient_cam(clip, RESIDUAL, clip_score(TEXT, 10.0), CLASSES)[index]
    assert 0 < (literal > 0).sum() < PATCHES  # the ReLU has something to do
    torch.testing.assert_close(scaled(cam).double(), scaled(literal), atol=1e-4, rtol=1e-4)


def probability(clip: CLIP, rise: Tensor, index: int) -> Tensor:
    """Of class `index`, in double precision, where A = ln_1(X) of all patches rises by (W,)."""
    visual = copy.deepcopy(clip.visual).double()
    block = visual.transformer.resblocks[-1]
    only_patches = (torch.arange(PATCHES + 1) > 0).double()[:, None]
    block.ln_1.register_forward_hook(lambda _, __, output: output + only_patches * rise)
    tokens = visual.ln_post(block(RESIDUAL.double()[None]))[:, 1:] @ visual.proj
    return clip_score(TEXT.double(), 10.0)(tokens).softmax(-1)[0, index]


@torch.no_grad()
@pytest.mark.parametrize("index", range(CLASSES))
def test_the_weight_of_a_channel_is_how_a_rise_in_all_patches_raises_the_probability(
    clip: CLIP, index: int
) -> None:
    """Finite differences: N times the mean over N patches of the gradient."""
    steps = 1e-4 * torch.eye(WIDTH, dtype=torch.float64)
    differences = [probability(clip, s, index) - probability(clip, -s, index) for s in steps]
    weights = torch.stack(differences) / (2e-4 * PATCHES)
    norm = copy.deepcopy(clip.visual.transformer.resblocks[-1].ln_1).double()
    expected = (norm(RESIDUAL.double())[1:] @ weights).relu()
    with torch.enable_grad():
        literal = literal_cam(clip, RESIDUAL, clip_score(TEXT.double(), 10.0), index)
    torch.testing.assert_close(expected, literal, atol=1e-9, rtol=1e-6)


@pytest.mark.parametrize("index", range(CLASSES))
def test_the_raw_map_is_that_of_the_probability_up_to_a_known_factor(
    clip: CLIP, index: int
) -> None:
    literal = literal_cam(clip, RESIDUAL, clip_score(TEXT.double(), 10.0), index)
    cam = gradient_cam(clip, RESIDUAL, clip_score(TEXT, 10.0), CLASSES)[index]
    share = clip_score(TEXT, 10.0)(projected(clip)).softmax(-1)[0, index]
    torch.testing.assert_close(share * (1 - share) * cam, literal.float(), atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize("index", range(CLASSES))
def test_aligned_gradient_cam_equals_the_literal_definition(clip: CLIP, index: int) -> None:
    literal = literal_cam(
        clip, RESIDUAL, aligned_score(double(heads()), TEXT.double(), 10.0), index
    )
    cam = gradient_cam(clip, RESIDUAL, aligned_score(heads(), TEXT, 10.0), CLASSES)[index]
    assert literal.max() > 0
    torch.testing.assert_close(scaled(cam).double(), scaled(literal), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("index", range(CLASSES))
def test_lengths_may_be_held_constant_in_the_gradient(clip: CLIP, index: int) -> None:
    length = projected(clip).mean(1).norm().detach().double()
    literal = literal_cam(
        clip, RESIDUAL, lambda tokens: 10 * tokens.mean(1) / length @ TEXT.double().T, index
    )
    cam = gradient_cam(clip, RESIDUAL, clip_score(TEXT, 10.0, "product"), CLASSES)[index]
    torch.testing.assert_close(scaled(cam).double(), scaled(literal), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "score",
    [
        lambda kind: clip_score(TEXT, 10.0, kind),
        lambda kind: aligned_score(heads(), TEXT, 10.0, kind),
    ],
    ids=["clip", "aligned"],
)
def test_only_the_gradient_of_the_cosine_has_no_part_along_the_mean_patch(
    score: Callable[[Gradient], Score],
) -> None:
    tokens = random(1, 4, JOINT, seed=6).requires_grad_()
    mean = tokens.detach().mean(1)[0]
    torch.testing.assert_close(score("product")(tokens), score("cosine")(tokens))
    along = {
        kind: torch.autograd.grad(score(kind)(tokens)[0, 0], tokens)[0].sum(1)[0] @ mean
        for kind in get_args(Gradient)
    }
    assert abs(along["cosine"]) < 1e-5 < 0.01 < abs(along["product"])


def test_a_saturated_softmax_does_not_erase_the_map(clip: CLIP) -> None:
    scale = 2500.0
    winner = int(clip_score(TEXT, 1)(projected(clip)).argmax())
    texts = TEXT.roll(-winner, 0)  # the winner comes first
    probability = clip_score(texts, scale)(projected(clip)).softmax(-1)[0, 0]
    assert probability == 1  # in single precision its gradient is gone
    cam = gradient_cam(clip, RESIDUAL, clip_score(texts, scale), 1)[0]
    literal = literal_cam(clip, RESIDUAL, clip_score(texts.double(), scale), 0)
    torch.testing.assert_close(scaled(cam).double(), scaled(literal), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("kind", ["gradient", "similarity"])
class TestBothKinds:
    def test_one_map_per_class_not_normalised_and_not_negative(self, clip: CLIP, kind: str) -> None:
        cams = activate(kind, clip, RESIDUAL, clip_score(TEXT, 10.0), CLASSES)
        assert cams.shape == (CLASSES, PATCHES)
        assert cams.dtype == torch.float32
        assert cams.isfinite().all()
        assert (cams >= 0).all()
        assert not cams.requires_grad

    def test_half_precision_tokens_are_computed_in_single_precision(
        self, clip: CLIP, kind: str
    ) -> None:
        halves = RESIDUAL.half()
        score = clip_score(TEXT, 10.0)
        expected = activate(kind, clip, halves.float(), score, CLASSES)
        with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
            torch.testing.assert_close(activate(kind, clip, halves, score, CLASSES), expected)

    def test_a_common_offset_of_all_logits_changes_nothing(self, clip: CLIP, kind: str) -> None:
        score = clip_score(TEXT, 10.0)
        shifted: Score = lambda tokens: score(tokens) + 5 * tokens.mean((1, 2))[:, None]  # noqa: E731
        torch.testing.assert_close(
            activate(kind, clip, RESIDUAL, shifted, CLASSES),
            activate(kind, clip, RESIDUAL, score, CLASSES),
            atol=1e-5,
            rtol=1e-3,
        )

    def test_the_order_of_classes_and_of_backgrounds_does_not_matter(
        self, clip: CLIP, kind: str
    ) -> None:
        order = [2, 0, 1, 6, 5, 3, 4]
        cams = activate(kind, clip, RESIDUAL, clip_score(TEXT, 10.0), CLASSES)
        reordered = activate(kind, clip, RESIDUAL, clip_score(TEXT[order], 10.0), CLASSES)
        torch.testing.assert_close(reordered, cams[order[:CLASSES]], atol=1e-5, rtol=1e-3)

    def test_the_order_of_patches_is_kept(self, clip: CLIP, kind: str) -> None:
        order = torch.randperm(PATCHES, generator=torch.Generator().manual_seed(0))
        moved = torch.cat([RESIDUAL[:1], RESIDUAL[1:][order]])
        cams = activate(kind, clip, RESIDUAL, clip_score(TEXT, 10.0), CLASSES)
        torch.testing.assert_close(
            activate(kind, clip, moved, clip_score(TEXT, 10.0), CLASSES),
            cams[:, order],
            atol=1e-5,
            rtol=1e-3,
        )

    def test_a_rival_changes_the_map(self, clip: CLIP, kind: str) -> None:
        cams = activate(kind, clip, RESIDUAL, clip_score(TEXT, 10.0), CLASSES)
        fewer = activate(kind, clip, RESIDUAL, clip_score(TEXT[:-1], 10.0), CLASSES)
        assert (cams - fewer).abs().max() > 1e-4

    def test_the_model_is_left_without_gradients(self, clip: CLIP, kind: str) -> None:
        activate(kind, clip, RESIDUAL, clip_score(TEXT, 10.0), CLASSES)
        assert all(p.grad is None and not p.requires_grad for p in clip.parameters())


def test_without_any_rival_the_gradient_is_that_of_the_logit(clip: CLIP) -> None:
    def with_zero(tokens: Tensor) -> Tensor:
        return F.pad(score(tokens), (0, 1))  # the odds against a constant 0 are the logit

    score = clip_score(TEXT[:1], 10.0)
    cam = gradient_cam(clip, RESIDUAL, score, 1)
    assert cam.max() > 0
    torch.testing.assert_close(cam, gradient_cam(clip, RESIDUAL, with_zero, 1))


def test_similarity_is_the_softmax_of_each_patch_by_itself(clip: CLIP) -> None:
    cams = similarity_cam(clip, RESIDUAL, clip_score(TEXT, 10.0), CLASSES)
    for place, token in enumerate(projected(clip)[0]):
        cosines = torch.stack([F.cosine_similarity(token, text, dim=0) for text in TEXT])
        expected = (10 * cosines).softmax(0)[:CLASSES]
        torch.testing.assert_close(cams[:, place], expected, atol=1e-5, rtol=1e-4)


def test_aligned_similarity_passes_patches_and_texts_through_their_heads(clip: CLIP) -> None:
    made = heads()
    cams = similarity_cam(clip, RESIDUAL, aligned_score(made, TEXT, 10.0), CLASSES)
    logits = 10 * made.image(projected(clip)[0]) @ made.text(TEXT).T
    torch.testing.assert_close(cams, logits.softmax(-1)[:, :CLASSES].T, atol=1e-5, rtol=1e-4)


def test_what_the_temperature_has_learned_sharpens_the_score() -> None:
    made = heads()
    tokens = random(5, 1, JOINT, seed=6)
    before = aligned_score(made, TEXT, 10.0)(tokens)
    made.log_temperature -= math.log(2)
    torch.testing.assert_close(aligned_score(made, TEXT, 10.0)(tokens), 2 * before)


def image_scores(
    scale: float,
    made: Aligner | None = None,
    by: str = "clip",
    gradient: Gradient = "cosine",
) -> ImageScores:
    names = np.array([str(row) for row in range(TEXTS)])
    classes, backgrounds = TEXT.numpy()[:CLASSES], TEXT.numpy()[CLASSES:]
    texts = TextEmbeddings(classes, backgrounds, names, np.float32(scale))
    return ImageScores(texts, torch.device("cpu"), made, by, gradient)


@pytest.mark.parametrize("labels", [[3], [1, 2, 3]], ids=["one class", "three classes"])
@pytest.mark.parametrize("kind", ["gradient", "similarity"])
@pytest.mark.parametrize("background", ["aligned", "clip"])
@pytest.mark.parametrize("scale", [5.0, 100.0])
@pytest.mark.parametrize("gradient", get_args(Gradient))
def test_heads_that_change_nothing_yet_give_clips_own_map(
    clip: CLIP, gradient: Gradient, scale: float, background: str, kind: str, labels: list[int]
) -> None:
    made = new_heads(HeadOptions(JOINT), random(50, JOINT, seed=3), TEXT, seed=4)
    alone = image_scores(scale, gradient=gradient)
    aligned = image_scores(scale, made, background, gradient)
    torch.testing.assert_close(
        scaled(aligned.activate(kind, clip, RESIDUAL, labels)),
        scaled(alone.activate(kind, clip, RESIDUAL, labels)),
        atol=1e-5,
        rtol=1e-4,
    )


@pytest.mark.parametrize("labels", [[3], [1, 2, 3]], ids=["one class", "three classes"])
@pytest.mark.parametrize("kind", ["gradient", "similarity"])
@pytest.mark.parametrize("gradient", get_args(Gradient))
def test_a_block_that_is_not_tuned_yet_gives_clips_own_map_to_the_bit(
    tmp_path: Path, gradient: Gradient, kind: str, labels: list[int]
) -> None:
    block = load_last_block(tiny_clip(tmp_path), "cpu")
    own = load_last_block(tiny_clip(tmp_path), "cpu")
    alone = image_scores(10.0, gradient=gradient).activate(kind, own, RESIDUAL, labels)
    tuned = image_scores(10.0, TunedBlock.of(block, 0.05), "aligned", gradient)
    assert torch.equal(tuned.activate(kind, own, RESIDUAL, labels), alone)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter *= 1.1
    assert not torch.allclose(tuned.activate(kind, own, RESIDUAL, labels), alone, rtol=0.01)


def test_classes_are_judged_by_one_score_against_backgrounds_by_another() -> None:
    tokens = random(5, 1, JOINT, seed=6)
    classes, backgrounds = clip_score(TEXT, 10.0), clip_score(TEXT.flip(0), 10.0)
    combined = against(classes, backgrounds, CLASSES)(tokens)
    assert torch.equal(combined[:, :CLASSES], classes(tokens)[:, :CLASSES])
    assert torch.equal(combined[:, CLASSES:], backgrounds(tokens)[:, CLASSES:])


@pytest.mark.parametrize("background", ["aligned", "clip"])
def test_heads_change_the_map_of_a_single_class(clip: CLIP, background: str) -> None:
    alone = similarity_cam(clip, RESIDUAL, image_scores(10).of([2]), 1)
    changed = similarity_cam(clip, RESIDUAL, image_scores(10, heads(), background).of([2]), 1)
    assert (changed - alone).abs().max() > 0.01
