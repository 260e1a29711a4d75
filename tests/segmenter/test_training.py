import csv
import multiprocessing
import os
import signal

import pytest
import torch

from ssr.segmenter.optimisation import rate_factor
from ssr.segmenter.training import COLUMNS
from tests.event_curves import curves


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def history(folder):
    return list(csv.reader((folder / "history.csv").open()))


def die():
    raise KeyboardInterrupt


def terminate():
    """As a scheduler does, with the processes that load images, too."""
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)


def test_training_learns(fit, settings, folder):
    settings = settings.model_copy(update={"iterations": 80, "warmup": 5, "checkpoint_every": 100})
    fit(settings, "work")
    losses = [float(row[1]) for row in history(folder / "work")[1:]]
    assert sum(losses[-20:]) < 0.8 * sum(losses[:20])


@pytest.mark.parametrize(("iteration", "resumed_at"), [(1, 0), (3, 2), (5, 4)])
def test_killed_and_resumed_ends_with_the_same_bits(
    fit, settings, folder, interrupt, capsys, iteration, resumed_at
):
    undisturbed = fit(settings, "one")
    interrupt(iteration, die)
    with pytest.raises(KeyboardInterrupt):
        fit(settings, "two")
    checkpoints = sorted(path.name for path in (folder / "two").glob("*.pt"))
    assert bool(checkpoints) == bool(resumed_at)
    assert all(name <= f"iteration_{resumed_at:08}.pt" for name in checkpoints)
    capsys.readouterr()
    assert equal(fit(settings, "two"), undisturbed)
    assert history(folder / "two") == history(folder / "one")
    assert curves(folder / "two") == curves(folder / "one")
    said = f"continues behind iteration {resumed_at}" if resumed_at else "starts in"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("workers", [0, 2])
def test_terminated_and_resumed_ends_with_the_same_bits(fit, settings, folder, interrupt, workers):
    undisturbed = fit(settings, "one")
    interrupt(2, terminate)
    with pytest.raises(SystemExit):
        fit(settings, "two", workers=workers)
    assert not multiprocessing.active_children()
    assert (folder / "two" / "iteration_00000003.pt").exists()
    assert equal(fit(settings, "two"), undisturbed)
    assert history(folder / "two") == history(folder / "one")


def test_a_history_that_lacks_rows_is_completed_from_the_checkpoint(
    fit, settings, folder, interrupt
):
    fit(settings, "one")
    interrupt(5, die)
    with pytest.raises(KeyboardInterrupt):
        fit(settings, "two")
    (folder / "two" / "history.csv").write_text("iteration,loss,learning_rate\n1,0.5,0.001\n")
    fit(settings, "two")
    assert history(folder / "two") == history(folder / "one")


def test_a_finished_training_is_not_trained_again(fit, settings, interrupt):
    finished = fit(settings, "work")
    interrupt(0, die)
    assert equal(fit(settings, "work"), finished)


def test_the_number_of_loader_processes_changes_nothing(fit, settings):
    settings = settings.model_copy(update={"iterations": 3})
    assert equal(fit(settings, "one"), fit(settings, "two", workers=2))
    assert not multiprocessing.active_children()


def test_seeds_differ(fit, settings):
    settings = settings.model_copy(update={"iterations": 3})
    assert not equal(fit(settings, "one", seed=0), fit(settings, "two", seed=1))


def test_mixed_precision_trains(fit, settings, folder):
    settings = settings.model_copy(update={"iterations": 3})
    single = fit(settings, "single")
    mixed = fit(settings.model_copy(update={"precision": "bfloat16"}), "mixed")
    assert all(value.dtype == torch.float32 for value in mixed.values())
    assert not equal(single, mixed)


def test_a_library_model_is_trained_and_resumed(fit, settings, library_config, interrupt):
    settings = settings.model_copy(
        update={"config": library_config, "iterations": 3, "checkpoint_every": 1}
    )
    undisturbed = fit(settings, "one")
    assert any("running_mean" in name for name in undisturbed)
    interrupt(2, die)
    with pytest.raises(KeyboardInterrupt):
        fit(settings, "two")
    assert equal(fit(settings, "two"), undisturbed)


def test_the_history_has_a_row_per_iteration(fit, settings, folder):
    fit(settings, "work")
    rows = history(folder / "work")
    assert rows[0] == list(COLUMNS)
    assert [int(row[0]) for row in rows[1:]] == [1, 2, 3, 4, 5, 6]
    peak = settings.learning_rate * settings.decoder_multiplier
    wanted = [peak * rate_factor(iteration, settings) for iteration in range(6)]
    assert [float(row[2]) for row in rows[1:]] == pytest.approx(wanted, rel=1e-4)


def test_a_loss_that_is_no_number_stops_the_training(fit, settings, interrupt):
    settings = settings.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(FloatingPointError, match="at iteration"):
        fit(settings, "work")
