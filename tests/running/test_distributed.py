import pytest
import torch

from ssr.errors import InputError
from ssr.running import distributed
from ssr.running.distributed import Resources, joined, launch

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def started(monkeypatch):
    """What `launch` would have started, instead of starting it."""
    commands = []
    for name in ("RANK", "WORLD_SIZE", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(distributed, "_run_agent", lambda count, _: commands.append(count) or 0)
    monkeypatch.setattr(distributed.os, "execvp", lambda _, command: commands.append(command))
    monkeypatch.setattr(distributed.sys, "argv", ["program", "--flag"])
    return commands


@pytest.mark.parametrize(("micro_batches", "processes"), [(2, 2), (3, 3), (4, 4), (8, 4)])
def test_every_gpu_works_as_far_as_micro_batches_go_round(started, micro_batches, processes):
    with pytest.raises(SystemExit) as exit_:
        launch("programs.train", Resources(CUDA, 8), micro_batches)
    assert exit_.value.code == 0
    assert started == [processes]


@pytest.mark.parametrize(("device", "micro_batches"), [(CUDA, 1), (CPU, 8)])
def test_one_process_is_not_started_anew(started, device, micro_batches):
    launch("programs.train", Resources(device, 8), micro_batches)
    assert started == []


def test_what_a_launcher_started_starts_nothing(started, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    launch("programs.train", Resources(CUDA, 8), 8)
    assert started == []


def test_a_job_of_several_nodes_goes_through_srun(started, capsys):
    with pytest.raises(SystemExit):
        launch("programs.train", Resources(CUDA, 8, nodes=2), 8)
    command = started[0]
    assert command[0] == "srun"
    assert {"--nodes=2", "--ntasks=8", "--ntasks-per-node=4", "--cpus-per-task=2"} <= {*command}
    assert command[-3:] == ["-m", "programs.train", "--flag"]
    said = "train: 4 on each of 2 nodes share the 8 micro-batches of an iteration\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("nodes", [1, 2])
def test_more_processes_than_micro_batches_are_refused(started, nodes):
    with pytest.raises(InputError, match=f"{3 * nodes} processes can't share 2 micro-batches"):
        launch("programs.train", Resources(CPU, 8, nodes, processes=3), 2)
    assert started == []


@pytest.mark.parametrize(
    "variables",
    [
        {"RANK": "0", "WORLD_SIZE": "3"},
        {"SLURM_STEP_NUM_TASKS": "3", "SLURM_NTASKS": "3", "SLURM_PROCID": "0"},
    ],
    ids=["torchrun", "srun"],
)
def test_a_launcher_of_too_many_processes_is_refused(started, monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="3 processes can't share 2"), joined(Resources(CPU, 1), 2):
        pass


def test_without_a_launcher_a_process_has_all_to_itself(started):
    with joined(Resources(CPU, 5), 2) as own:
        assert own == Resources(CPU, 5)
    assert not torch.distributed.is_initialized()
