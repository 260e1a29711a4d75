"""CMPA beside another training: the losses of a round, prototypes that follow the heads."""

from __future__ import annotations

import copy
import io

import numpy as np
import torch

from ssr.alignment.heads import HeadOptions, new_heads
from ssr.alignment.online import OnlineAlignment
from ssr.alignment.prototypes import make_prototypes
from ssr.alignment.training import LabelledSamples, Round
from ssr.config import Alignment
from tests.alignment.toy import CLASSES, DIMENSION, samples, texts

SETTINGS = Alignment(iterations=4, batch_size=16, learning_rate=1e-2, stop="last")


def online() -> OnlineAlignment:
    found, options = samples(), HeadOptions(DIMENSION, layers=1, width=8)
    heads = new_heads(options, found.entering(0), torch.from_numpy(texts()), seed=0)
    prototypes = make_prototypes(heads, found, texts(), CLASSES, CLASSES, seed=0)
    return OnlineAlignment(heads, found, prototypes, SETTINGS, seed=0)


def optimiser_of(alignment: OnlineAlignment) -> torch.optim.Optimizer:
    own = alignment.settings
    weights = alignment.heads.parameters()
    return torch.optim.AdamW(weights, lr=own.learning_rate, weight_decay=own.weight_decay)


def steps(alignment: OnlineAlignment, optimiser: torch.optim.Optimizer, count: int) -> list[float]:
    losses = []
    for _ in range(count):
        optimiser.zero_grad()
        (loss := alignment.loss()).backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def test_a_round_by_itself_is_what_the_staged_training_does() -> None:
    alignment = online()
    staged = Round(
        copy.deepcopy(alignment.heads),
        LabelledSamples(
            samples(),
            make_prototypes(alignment.heads, samples(), texts(), CLASSES, CLASSES, seed=0),
            SETTINGS.loss,
        ),
        SETTINGS,
        seed=0,
        before=0,
    )
    for _ in range(SETTINGS.iterations):
        staged.step()
    losses = steps(alignment, optimiser_of(alignment), SETTINGS.iterations)
    assert losses == [loss for _, loss, _ in staged.history]
    for name, value in staged.aligner.state_dict().items():
        assert torch.equal(alignment.heads.state_dict()[name], value), name


def test_prototypes_are_renewed_behind_each_round_and_the_heads_stay_in_evaluation_mode() -> None:
    alignment = online()
    optimiser = optimiser_of(alignment)
    seen = []
    for _ in range(2 * SETTINGS.iterations + 1):
        steps(alignment, optimiser, 1)
        assert not any(module.training for module in alignment.heads.modules())
        seen.append(alignment.state()["prototypes"]["image_prototypes"])
    renewed = [number for number in range(1, 9) if not torch.equal(seen[number - 1], seen[number])]
    assert renewed == [4, 8]


def test_restored_at_any_iteration_it_continues_with_the_same_bits() -> None:
    undisturbed = online()
    wanted = steps(undisturbed, optimiser_of(undisturbed), 10)
    for stopped in (0, 3, 4, 6):
        first = online()
        optimiser = optimiser_of(first)
        losses, file = steps(first, optimiser, stopped), io.BytesIO()
        torch.save([first.state(), first.heads.state_dict(), optimiser.state_dict()], file)
        file.seek(0)
        state, heads, optimised = torch.load(file, weights_only=True)
        second = online()
        second.restore(state)
        second.heads.load_state_dict(heads)
        optimiser = optimiser_of(second)
        optimiser.load_state_dict(optimised)
        losses += steps(second, optimiser, 10 - stopped)
        assert losses == wanted
        for name, value in undisturbed.state()["prototypes"].items():
            np.testing.assert_array_equal(second.state()["prototypes"][name], value)
