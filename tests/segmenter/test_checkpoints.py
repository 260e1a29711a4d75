import os
import signal
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ssr.running.checkpoints import Termination, fingerprint, newest, remove
from ssr.segmenter.checkpoints import Checkpoints, restore, save


@pytest.fixture
def runner():
    """What a hook sees of mmengine's Runner; three iterations of five are done."""
    model = nn.Linear(2, 1)
    optimiser = torch.optim.AdamW(model.parameters())
    model(torch.ones(2)).backward()
    optimiser.step()
    return SimpleNamespace(model=model, optim_wrapper=optimiser, iter=2, max_iters=5)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_checkpoint_brings_back_weights_and_moments(tmp_path, runner):
    save(tmp_path, 3, runner, [])
    wanted = runner.model.weight.detach().clone()
    moments = runner.optim_wrapper.state_dict()["state"][0]["exp_avg"].clone()
    runner.model.weight.data.zero_()
    runner.optim_wrapper.state.clear()
    state = newest(tmp_path)
    restore(runner, state)
    assert state["iteration"] == 3
    assert torch.equal(runner.model.weight, wanted)
    assert torch.equal(runner.optim_wrapper.state_dict()["state"][0]["exp_avg"], moments)


def test_the_two_newest_are_kept(tmp_path, runner):
    for iteration in (8, 9, 10):
        save(tmp_path, iteration, runner, [])
    assert names(tmp_path) == ["iteration_00000009.pt", "iteration_00000010.pt"]
    remove(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_a_damaged_checkpoint_is_passed_over(tmp_path, runner, capsys, content):
    save(tmp_path, 1, runner, [])
    save(tmp_path, 2, runner, [])
    damaged = tmp_path / "iteration_00000002.pt"
    damaged.write_bytes(damaged.read_bytes()[:-200] if content is None else content)
    assert newest(tmp_path)["iteration"] == 1
    assert "iteration_00000002.pt can't be read" in capsys.readouterr().err


def test_without_a_checkpoint_there_is_none(tmp_path):
    assert newest(tmp_path) is None


def test_code_in_a_checkpoint_does_not_run(tmp_path, runner):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save(Harmful(), tmp_path / "iteration_00000001.pt")
    assert newest(tmp_path) is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("iteration", "saved"), [(0, False), (1, True), (2, False), (4, True)])
def test_saves_at_the_interval_and_at_the_end(tmp_path, runner, iteration, saved):
    runner.iter = iteration
    Checkpoints(tmp_path, 2, Termination(), []).after_train_iter(runner)
    assert names(tmp_path) == [f"iteration_{iteration + 1:08}.pt"] * saved


def test_a_termination_request_saves_and_exits(tmp_path, runner):
    termination = Termination()
    before = signal.getsignal(signal.SIGTERM)
    with termination.awaited():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(SystemExit) as exit_:
        Checkpoints(tmp_path, 100, termination, []).after_train_iter(runner)
    assert exit_.value.code == 143
    assert newest(tmp_path)["iteration"] == 3


def test_a_signal_while_processes_agree_is_seen_behind_the_next_iteration(
    tmp_path, runner, monkeypatch
):
    termination = Termination()
    hook = Checkpoints(tmp_path, 100, termination, [])

    def agree(number, operation):
        assert operation == "max"
        os.kill(os.getpid(), signal.SIGUSR1)

    monkeypatch.setattr("ssr.segmenter.checkpoints.all_reduce", agree)
    with termination.awaited():
        hook.after_train_iter(runner)
        assert names(tmp_path) == []
        runner.iter += 1
        with pytest.raises(SystemExit) as exit_:
            hook.after_train_iter(runner)
    assert exit_.value.code == 128 + signal.SIGUSR1
    assert newest(tmp_path)["iteration"] == 4


def test_all_leave_with_the_signal_that_another_process_saw(tmp_path, runner, monkeypatch):
    def agree(number, operation):
        number.fill_(int(signal.SIGTERM))

    monkeypatch.setattr("ssr.segmenter.checkpoints.all_reduce", agree)
    with pytest.raises(SystemExit) as exit_:
        Checkpoints(tmp_path, 100, Termination(), []).after_train_iter(runner)
    assert exit_.value.code == 128 + signal.SIGTERM


def test_a_finished_training_is_not_interrupted(tmp_path, runner):
    runner.iter, termination = 4, Termination()
    termination.number = signal.SIGTERM
    Checkpoints(tmp_path, 100, termination, []).after_train_iter(runner)
    assert newest(tmp_path)["iteration"] == 5


def test_the_fingerprint_tells_parameters_and_contents_apart(tmp_path):
    file = tmp_path / "input"
    file.write_text("one")
    first = fingerprint(["a", "b"], [file])
    assert fingerprint(["a", "b"], [file]) == first
    assert fingerprint(["b", "a"], [file]) != first
    file.write_text("two")
    assert fingerprint(["a", "b"], [file]) != first
