"""CLIP's last block, trained instead of heads: it starts at CLIP, and patches alone move."""

from typing import Literal

import pytest
import torch
import torch.nn.functional as F

from ssr.alignment.losses import LOSSES
from ssr.alignment.prototypes import make_prototypes
from ssr.alignment.samples import pool
from ssr.alignment.training import LabelledSamples, Round
from ssr.alignment.tuned_block import TunedBlock
from ssr.backbones.last_block import patches_of_image
from ssr.config import Alignment
from tests.alignment.toy import CLASSES, block_samples, clip_block, stored_tokens, texts

SETTINGS = Alignment(
    trains="last_block", iterations=4, batch_size=6, learning_rate=1e-3, stop="last"
)
TEXTS = torch.from_numpy(texts())


def tuned() -> TunedBlock:
    return TunedBlock.of(clip_block(), 0.05)


def training(loss: str, learning_rate: float = 1e-3) -> Round:
    found, aligner = block_samples(), tuned()
    prototypes = make_prototypes(aligner, found, texts(), CLASSES, CLASSES, seed=0)
    data = LabelledSamples(found, prototypes, loss)
    settings = SETTINGS.model_copy(update={"learning_rate": learning_rate})
    return Round(aligner, data, settings, seed=0, before=0)


def test_a_new_block_gives_clips_own_patches_at_unit_length() -> None:
    entering = [stored_tokens(name) for name in "ab"]
    own = [F.normalize(patches_of_image(clip_block(), tokens), dim=-1) for tokens in entering]
    for patches, expected in zip(tuned().patches(entering), own, strict=True):
        assert torch.equal(patches, expected)


def test_texts_stay_and_nothing_has_been_sharpened() -> None:
    assert torch.equal(tuned().text(TEXTS), TEXTS)
    assert tuned().sharpening == 1


def test_cams_run_through_the_block_that_was_tuned() -> None:
    aligner = tuned()
    assert aligner.through(clip_block()) is aligner.block


def test_samples_are_the_tuned_patches_under_their_weights() -> None:
    found, aligner = block_samples(), tuned()
    with torch.no_grad():
        rows = found.aligned(aligner)
        for row, image in enumerate(found.images):
            (patches,) = aligner.patches([found.patches(image)])
            pooled = pool(patches, found.weights(image), unit_patches=True)
            torch.testing.assert_close(rows[row], pooled[row % 3])


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_moves_the_block_its_norm_and_its_projection(
    loss: Literal["cross_modal", "in_modal", "feature"],
) -> None:
    state = training(loss)
    before = {name: value.clone() for name, value in state.aligner.state_dict().items()}
    for _ in range(4):
        state.step()
    after = state.aligner.state_dict()
    assert all(not torch.equal(value, after[name]) for name, value in before.items())


def test_images_come_nearer_to_the_texts_of_their_classes() -> None:
    state = training("cross_modal", learning_rate=3e-3)
    for _ in range(30):
        state.step()
    losses = [loss for _, loss, _ in state.history]
    assert sum(losses[-5:]) < sum(losses[:5]) - 1


def test_a_batch_reads_the_tokens_of_its_own_images_alone() -> None:
    state, read = training("cross_modal"), []
    found = state.data.samples
    tokens = found.patches
    object.__setattr__(found, "patches", lambda image: read.append(image) or tokens(image))
    state.step()
    assert len(read) == len(set(read)) <= SETTINGS.batch_size < len(set(found.images))
