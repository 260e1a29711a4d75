import csv
import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch
from torch import nn

from ssr.config import Segmenter
from ssr.segmenter import micro_batches, training
from ssr.segmenter.micro_batches import (
    Positions,
    RunningStatistics,
    SharedOptimiser,
    seed_micro_batch,
)

CPU = torch.device("cpu")


@pytest.fixture
def as_process(monkeypatch):
    """`as_process(rank, processes)` lets this process be one of several that say nothing."""

    def pretend(rank, processes):
        monkeypatch.setattr(micro_batches, "get_dist_info", lambda: (rank, processes))

    return pretend


def batch_of(size, micro_batch, iterations=3):
    return Segmenter(
        batch_size=size, micro_batch=micro_batch, iterations=iterations, warmup=1, crop_size=32
    )


def test_the_first_micro_batch_has_the_randomness_of_a_whole_batch():
    state = np.random.SeedSequence([5, 17]).generate_state(1, np.uint64)
    seed_micro_batch(5, 17, 0)
    assert torch.initial_seed() == int(state[0] >> np.uint64(1))
    seed_micro_batch(5, 17, 1)
    assert torch.initial_seed() != int(state[0] >> np.uint64(1))


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_every_position_belongs_to_one_process(as_process, processes):
    parts = []
    for rank in range(processes):
        as_process(rank, processes)
        parts.append(Positions(batch_of(6, 2), start=1))
        assert len(list(parts[-1])) == len(parts[-1])
    listed = [position for part in parts for micro_batch in part for position in micro_batch]
    assert sorted(listed) == list(range(6, 18))
    assert next(iter(parts[0])) == [6, 7]


@pytest.mark.parametrize("micro_batch", [1, 2, None])
def test_a_plain_mean_over_samples_is_the_same_in_micro_batches(micro_batch):
    settings = batch_of(4, micro_batch)
    generator = torch.Generator().manual_seed(0)
    inputs, wanted = torch.randn(2, 4, 3, generator=generator)
    weights = []
    for each in (settings, batch_of(4, 4)):
        torch.manual_seed(0)
        model = nn.Linear(3, 3)
        optimiser = SharedOptimiser(torch.optim.SGD(model.parameters(), 0.1), each, CPU)
        parts = each.micro_batches
        for some, target in zip(inputs.chunk(parts), wanted.chunk(parts), strict=True):
            optimiser.update_params(nn.functional.mse_loss(model(some), target))
        weights.append(model.weight.detach())
    torch.testing.assert_close(*weights)


def running(batches):
    """Mean and variance after one iteration on `batches`, from a fixed start."""
    norm = nn.BatchNorm1d(3)
    statistics = RunningStatistics(nn.Sequential(norm), len(batches))
    statistics.start()
    for batch in batches:
        with statistics.of_one():
            norm(batch)
    statistics.finish()
    return norm.running_mean, norm.running_var, norm.num_batches_tracked


def test_running_statistics_do_not_depend_on_the_order_of_micro_batches():
    one, other = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(running([one, other]), running([other, one]))
    first, second = running([one])[0], running([other])[0]
    torch.testing.assert_close(running([one, other])[0], (first + second) / 2)


def test_running_statistics_of_one_micro_batch_are_those_of_batch_normalisation():
    batch = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    norm = nn.BatchNorm1d(3)
    norm(batch)
    assert all(map(torch.equal, running([batch]), norm.buffers()))


@pytest.fixture
def fit_in_two(fit, folder):
    """`fit_in_two(settings, work)`: as `fit`, by two processes; their exit codes and the result."""

    def work(rank, settings, name):
        place = f"file://{folder / name}.store"
        torch.distributed.init_process_group("gloo", init_method=place, rank=rank, world_size=2)
        trained = fit(settings, name)
        if rank == 0:
            torch.save(trained, folder / f"{name}.pt")

    def run(settings, name):
        context = multiprocessing.get_context("fork")
        processes = [context.Process(target=work, args=(rank, settings, name)) for rank in (0, 1)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
            process.kill()
            process.join()
        path = folder / f"{name}.pt"
        return [process.exitcode for process in processes], path.exists() and torch.load(path)

    return run


def losses(folder):
    return [float(row["loss"]) for row in csv.DictReader((folder / "history.csv").open())]


def assert_same(one, other):
    """Up to the order in which gradients are added; AdamW makes steps of what is left of zeros."""
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=1e-4, atol=1e-4, msg=name)


@pytest.mark.parametrize(
    ("batch_size", "micro_batch", "changes"),
    [
        pytest.param(4, 2, {}, id="two micro-batches"),
        pytest.param(3, 1, {}, id="three: one process has two of them"),
        pytest.param(4, 2, {"precision": "bfloat16"}, id="mixed precision"),
        pytest.param(4, 2, {"config": "library"}, id="batch normalisation"),
    ],
)
def test_two_processes_train_as_one(
    fit, fit_in_two, settings, folder, library_config, batch_size, micro_batch, changes
):
    if "config" in changes:
        changes = {"config": library_config}
    sizes = {"batch_size": batch_size, "micro_batch": micro_batch, "checkpoint_every": 100}
    settings = settings.model_copy(update={**sizes, **changes})
    assert settings.dropout
    exit_codes, trained = fit_in_two(settings, "two")
    assert exit_codes == [0, 0]
    assert_same(trained, fit(settings, "one"))
    assert losses(folder / "two") == pytest.approx(losses(folder / "one"), rel=1e-4)
    files = [path.name for path in (folder / "two").rglob("*.pt")]
    assert files == ["iteration_00000006.pt"]


def test_a_signal_to_one_process_stops_both_and_one_process_continues(
    fit, fit_in_two, settings, folder, monkeypatch
):
    settings = settings.model_copy(update={"batch_size": 4, "micro_batch": 2})
    undisturbed = fit(settings, "one")

    def interrupt(hook, runner, *_, **__):
        if runner.iter == 2 and runner.rank == 1:
            os.kill(os.getpid(), signal.SIGUSR1)

    with monkeypatch.context() as patched:
        patched.setattr(training.LearningRate, "before_train_epoch", interrupt, raising=False)
        patched.setattr(training.LearningRate, "after_train_iter", interrupt, raising=False)
        exit_codes, _ = fit_in_two(settings, "two")
    assert exit_codes == [128 + signal.SIGUSR1] * 2
    assert (folder / "two" / "iteration_00000003.pt").exists()
    assert_same(fit(settings, "two"), undisturbed)
    assert losses(folder / "two") == pytest.approx(losses(folder / "one"), rel=1e-4)


def test_two_processes_continue_what_one_began(fit, fit_in_two, settings, folder):
    settings = settings.model_copy(update={"batch_size": 4, "micro_batch": 2})
    undisturbed = fit(settings, "one")
    checkpoints = sorted((folder / "one").glob("*.pt"))
    (folder / "two").mkdir()
    checkpoints[0].rename(folder / "two" / checkpoints[0].name)
    exit_codes, trained = fit_in_two(settings, "two")
    assert exit_codes == [0, 0]
    assert_same(trained, undisturbed)
