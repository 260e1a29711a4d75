"""A round of training: what it learns, and that it can be killed at any moment."""

import os
import signal
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from ssr.alignment.aligner import Aligner
from ssr.alignment.heads import HeadOptions, new_heads
from ssr.alignment.prototypes import make_prototypes
from ssr.alignment.samples import Samples
from ssr.alignment.trained import load_aligner, load_looks, save_aligner
from ssr.alignment.training import (
    LabelledSamples,
    Round,
    batch_rows,
    look_points,
    train,
    write_history,
)
from ssr.alignment.tuned_block import TunedBlock
from ssr.config import Alignment
from ssr.running.checkpoints import Termination, newest
from tests.alignment.toy import (
    BACKGROUNDS,
    CLASSES,
    DIMENSION,
    block_samples,
    clip_block,
    labelled_images,
    patch_samples,
    samples,
    texts,
    unit,
)
from tests.event_curves import curves

SETTINGS = Alignment(iterations=30, batch_size=16, learning_rate=1e-2, stop="last")
LOOKING = SETTINGS.model_copy(update={"stop": "tune"})


LOOKING_AT_IMAGES = SETTINGS.model_copy(update={"loss": "image_labels"})
OF_THE_BLOCK = SETTINGS.model_copy(update={"trains": "last_block", "batch_size": 2})


def aligner_for(settings: Alignment, found: Samples) -> Aligner:
    if settings.trains == "last_block":
        return TunedBlock.of(clip_block(), settings.temperature)
    options = HeadOptions(DIMENSION, layers=1, width=8, residual=True)
    return new_heads(options, found.entering(0), torch.from_numpy(texts()), seed=0)


def start(settings: Alignment = SETTINGS, found: Samples | None = None) -> Round:
    found = found or samples()
    aligner = aligner_for(settings, found)
    prototypes = make_prototypes(aligner, found, texts(), CLASSES, CLASSES, seed=0)
    of_samples = LabelledSamples(found, prototypes, settings.loss)
    data = labelled_images() if settings.looks_at_images else of_samples
    return Round(aligner, data, settings, seed=0, before=0)


def finish(state: Round, work: Path) -> Round:
    for _ in train(state, work, save_every=4):
        pass
    return state


def assert_same(one: Round, other: Round) -> None:
    for name, value in one.aligner.state_dict().items():
        assert torch.equal(value, other.aligner.state_dict()[name]), name
    assert one.history == other.history


def confused() -> Samples:
    """Samples that CLIP takes for the next class: they are nearer to its text than to their own."""
    near = samples()
    following = texts()[(near.labels + 1) % (CLASSES + BACKGROUNDS)]
    return Samples(near.images, near.labels, unit(near.features + 1.2 * following))


@pytest.mark.parametrize(
    ("loss", "aligns"), [("cross_modal", True), ("feature", True), ("in_modal", False)]
)
def test_images_meet_the_text_of_their_class_where_the_loss_links_the_modalities(
    tmp_path: Path, loss: Literal["cross_modal", "feature", "in_modal"], aligns: bool
) -> None:
    found = confused()
    settings = SETTINGS.model_copy(update={"loss": loss, "learning_rate": 3e-3})
    heads = finish(start(settings, found), tmp_path).aligner.requires_grad_(False).eval()

    def accuracy(image: torch.Tensor, text: torch.Tensor) -> float:
        return float((image @ text.T).argmax(1).eq(torch.from_numpy(found.labels)).float().mean())

    images, prompts = torch.from_numpy(found.features), torch.from_numpy(texts())
    assert accuracy(images, prompts) < 0.1
    assert (accuracy(heads.image(images), heads.text(prompts)) > 0.95) == aligns


def test_the_loss_falls_and_every_iteration_is_recorded(tmp_path: Path) -> None:
    state = finish(start(found=confused()), tmp_path)
    iterations, losses, temperatures = zip(*state.history, strict=True)
    assert iterations == tuple(range(1, 31))
    assert losses[-1] < losses[0] / 2
    assert temperatures[0] != temperatures[-1]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (SETTINGS, samples()),
        (LOOKING_AT_IMAGES, None),
        (SETTINGS, patch_samples()),
        (OF_THE_BLOCK, block_samples()),
    ],
    ids=["samples", "images", "pooled after ISA", "last block"],
)
@pytest.mark.parametrize("killed_after", [3, 4, 11, 29])
def test_a_killed_and_resumed_training_equals_an_undisturbed_one(
    tmp_path: Path, killed_after: int, settings: Alignment, found: Samples | None
) -> None:
    undisturbed = finish(start(settings, found), tmp_path / "one")
    killed = start(settings, found)
    list(islice(train(killed, tmp_path / "two", save_every=4), killed_after))
    resumed = start(settings, found)
    list(islice(train(resumed, tmp_path / "two", save_every=4), 1))
    assert resumed.iteration == killed_after // 4 * 4 + 1
    resumed = finish(start(settings, found), tmp_path / "two")
    assert_same(resumed, undisturbed)
    assert curves(tmp_path / "two") == curves(tmp_path / "one")


@pytest.mark.parametrize(
    ("iterations", "looks", "first", "later"),
    [(50, 4, {0, 12, 25, 37}, {12, 25, 37}), (3, 4, {0, 1, 2}, {1, 2}), (9, 1, {0}, set())],
)
def test_looks_stand_at_equal_distances_between_the_starts_of_rounds(
    iterations: int, looks: int, first: set[int], later: set[int]
) -> None:
    settings = Alignment(iterations=iterations, looks=looks, stop="tune")
    assert look_points(settings, first=True) == first
    assert look_points(settings, first=False) == later
    assert not look_points(settings.model_copy(update={"stop": "last"}), first=True)


def test_what_is_kept_are_the_heads_that_a_shorter_round_would_end_with(tmp_path: Path) -> None:
    state = finish(start(LOOKING), tmp_path / "whole")
    path = tmp_path / "1.safetensors"
    save_aligner(path, state.aligner, {"iterations": 30}, state.kept)
    looks = load_looks(path)
    assert list(looks) == [0, 7, 15, 22, 30]
    for iterations, heads in looks.items():
        shorter = start(SETTINGS.model_copy(update={"iterations": iterations}))
        expected = finish(shorter, tmp_path / f"{iterations}").aligner.state_dict()
        assert all(torch.equal(heads.state_dict()[name], expected[name]) for name in expected)


def test_keeping_heads_changes_nothing_but_what_is_kept(tmp_path: Path) -> None:
    last, tune = finish(start(), tmp_path / "last"), finish(start(LOOKING), tmp_path / "tune")
    assert_same(last, tune)
    assert not last.kept
    save_aligner(tmp_path / "last.safetensors", last.aligner, {"iterations": 30}, last.kept)
    save_aligner(tmp_path / "plain.safetensors", last.aligner, {"iterations": 30})
    save_aligner(tmp_path / "tune.safetensors", tune.aligner, {"iterations": 30}, tune.kept)
    last_bytes, plain = (
        (tmp_path / f"{name}.safetensors").read_bytes() for name in ("last", "plain")
    )
    assert last_bytes == plain
    one, other = (load_aligner(tmp_path / f"{name}.safetensors")[0] for name in ("last", "tune"))
    assert all(
        torch.equal(*pair) for pair in zip(one.parameters(), other.parameters(), strict=True)
    )


@pytest.mark.parametrize("killed_after", [1, 9, 17, 29])
@pytest.mark.parametrize("trains", ["heads", "last_block"])
def test_a_killed_and_resumed_round_keeps_the_same_looks(
    tmp_path: Path, killed_after: int, trains: str
) -> None:
    settings = LOOKING.model_copy(update={"trains": trains, "batch_size": 2})
    found = block_samples() if trains == "last_block" else samples()
    list(islice(train(start(settings, found), tmp_path / "two", save_every=4), killed_after))
    for name in ("one", "two"):
        state = finish(start(settings, found), tmp_path / name)
        save_aligner(tmp_path / f"{name}.safetensors", state.aligner, {}, state.kept)
    one, two = (tmp_path / f"{name}.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_termination_saves_the_iteration_in_progress(tmp_path: Path) -> None:
    undisturbed = finish(start(), tmp_path / "one")
    state = start()
    handler = signal.getsignal(signal.SIGTERM)
    iterations = train(state, tmp_path / "two", save_every=100)
    list(islice(iterations, 5))
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(SystemExit) as exit_status:
        next(iterations)
    assert exit_status.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == handler
    assert state.iteration == 6
    resumed = start()
    assert next(train(resumed, tmp_path / "two")) == 7
    assert_same(finish(start(), tmp_path / "two"), undisturbed)


def test_a_signal_just_behind_the_check_waits_for_the_next_iteration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = chain([False], repeat(True))
    monkeypatch.setattr(Termination, "requested", property(lambda _: next(asked)))
    state = start()
    with pytest.raises(SystemExit):
        list(train(state, tmp_path, save_every=100))
    assert newest(tmp_path)["iteration"] == state.iteration == 2


def test_batches_visit_every_sample_once_per_epoch_in_a_new_order() -> None:
    first = np.concatenate([batch_rows(i, 12, 4, seed=0) for i in range(3)])
    second = np.concatenate([batch_rows(i, 12, 4, seed=0) for i in range(3, 6)])
    assert sorted(first) == sorted(second) == list(range(12))
    assert first.tolist() != second.tolist()
    assert sorted(batch_rows(0, 3, 128, seed=0)) == [0, 1, 2]


def test_later_rounds_go_on_in_the_order_of_samples() -> None:
    first, second = start(), start()
    second.before = 30
    first.step()
    second.step()
    assert first.history != second.history


def test_history_is_a_table_of_losses(tmp_path: Path) -> None:
    write_history(tmp_path / "1.csv", [(1, 0.5, 0.05), (2, 0.25, 0.049)])
    assert (tmp_path / "1.csv").read_text().split() == [
        "iteration,loss,temperature",
        "1,0.5,0.05",
        "2,0.25,0.049",
    ]
