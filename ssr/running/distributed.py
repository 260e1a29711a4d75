"""A training on several processes, one per GPU, on one node or on several.

A program calls `launch`, which starts it anew as often as needed: on one node through the agent of
torchrun, in a job of several nodes through srun. It then works inside `joined`, which is also all
that it needs where a user has typed torchrun or srun.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from unittest.mock import patch
from uuid import uuid4

import torch
from mmengine.dist import init_dist
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher import LaunchConfig, elastic_launch

from ssr.errors import InputError
from ssr.running.checkpoints import Termination

PARENT_DEATH_SIGNAL = 1  # of prctl(2)
# Below the ports that Linux gives to clients.
FIRST_PORT, PORTS = 20000, 10000


@dataclass(frozen=True)
class Resources:
    """What a job was given."""

    device: torch.device
    threads: int
    """Of this node."""
    nodes: int = 1
    processes: int | None = None
    """On each node; None takes one per visible GPU, and no more in all than there is work for."""


def launch(program: str, given: Resources, parts: int) -> None:
    """Start a program anew on several processes and exit with their status.

    Returns if this process is to work: because it has been started by a launcher, or because one
    is enough. SIGTERM and SIGUSR1 are handed on to all processes.

    Args:
        program: a module, which is run with the arguments of this process.
        given: to the job; several nodes are reached through srun.
        parts: into which the work can be cut.

    Raises:
        InputError: more processes are asked for than there are parts.
    """
    if _launcher():
        return
    nodes, processes = given.nodes, given.processes
    if processes is None:
        nodes = min(nodes, parts)
        gpus = torch.cuda.device_count() if given.device.type == "cuda" else 1
        processes = max(1, min(gpus, parts // nodes))
    _check(nodes * processes, parts)
    if nodes * processes > 1:
        name = program.rpartition(".")[2]
        each = f"{processes} processes" if nodes == 1 else f"{processes} on each of {nodes} nodes"
        said = f"{name}: {each} share the {parts} micro-batches of an iteration"
        print(said, file=sys.stderr, flush=True)
        command = [sys.executable, "-m", program, *sys.argv[1:]]
        if nodes > 1:
            _become_srun(nodes, processes, max(1, given.threads // processes), command)
        raise SystemExit(_run_agent(processes, command))


@contextmanager
def joined(given: Resources, parts: int) -> Iterator[Resources]:
    """Let the processes of a launcher, if there is one, reach each other inside the block.

    Yields what this process has to itself of what was `given`.

    Raises:
        InputError: there are more processes than `parts`, into which the work can be cut.
    """
    launcher = _launcher()
    if launcher is None:
        yield given
        return
    slurm = launcher == "slurm"
    _check(int(os.environ["SLURM_NTASKS" if slurm else "WORLD_SIZE"]), parts)
    _end_with_parent()
    if slurm:  # mmengine's own port is the same for all jobs
        port = FIRST_PORT + int(os.environ["SLURM_JOB_ID"]) % PORTS
        os.environ.setdefault("MASTER_PORT", str(port))
    # What mmengine's runner sets later, with a warning if init_dist has set another.
    torch.multiprocessing.set_start_method("fork", force=True)
    # mmengine would choose a GPU where there is none, or the second of one that it is bound to.
    with patch("torch.cuda.set_device"):
        init_dist(launcher, "nccl" if given.device.type == "cuda" else "gloo")
    threads = max(1, given.threads // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))
    torch.set_num_threads(threads)
    try:
        yield Resources(_own(given.device), threads)
    except SystemExit:  # all leave together; threads of the group at exit would abort a process
        torch.distributed.destroy_process_group()
        raise
    torch.distributed.destroy_process_group()


def _launcher() -> str | None:
    """mmengine's name of what started this process as one of several."""
    if "RANK" in os.environ and "WORLD_SIZE" in os.environ:
        return "pytorch"
    # SLURM_NTASKS also tells of the job around a step of one task.
    return "slurm" if int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1 else None


def _check(processes: int, parts: int) -> None:
    if processes > parts:
        raise InputError(
            f"{processes} processes can't share {parts} micro-batches: "
            f"batch_size / micro_batch must be {processes} or more"
        )


def _own(device: torch.device) -> torch.device:
    """The GPU of this process among those that it sees."""
    if device.type == "cpu":
        return device
    index = int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count()
    os.environ["LOCAL_RANK"] = str(index)  # mmengine takes it for a place in CUDA_VISIBLE_DEVICES
    torch.cuda.set_device(index)
    return torch.device("cuda", index)


def _end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the launcher is killed: the others would wait for ever."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, int(signal.SIGTERM))


def _become_srun(nodes: int, processes: int, cores: int, command: list[str]) -> None:
    """Replace this process by srun, which hands on signals and returns the highest status."""
    geometry = {
        "nodes": nodes,
        "ntasks": nodes * processes,
        "ntasks-per-node": processes,
        "cpus-per-task": cores,
    }
    flags = [f"--{name}={value}" for name, value in geometry.items()]
    os.environ["LOCAL_WORLD_SIZE"] = str(processes)  # as torchrun says to its own
    # The step in which this process runs holds the same cores and GPUs, but only waits.
    os.execvp("srun", ["srun", "--overlap", "--kill-on-bad-exit=1", *flags, *command])


def _run_agent(processes: int, command: list[str]) -> int:
    """The status of processes that torchrun's agent starts and watches on this node.

    Signals go to the processes past the agent, which would not wait for a checkpoint, nor tell
    whether they ended their work.
    """
    for number in Termination.SIGNALS:
        signal.signal(number, _hand_on)
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
        signals_to_handle="SIGINT,SIGHUP,SIGQUIT",
    )
    try:
        elastic_launch(config, command[0])(*command[1:])
    except ChildFailedError as error:
        process, failure = error.get_first_failure()
        status = failure.exitcode if failure.exitcode > 0 else 128 - failure.exitcode
        print(f"process {process} ended first, with status {status}", file=sys.stderr)
        return status
    return 0


def _hand_on(number: int, _frame: FrameType | None) -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    for child in children:
        os.kill(int(child), number)
    if not children:
        raise SystemExit(128 + number)
