"""`ssr.running.checkpoints` for mmengine's Runner: what is saved of it, and when."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce, barrier, broadcast, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ssr.running import checkpoints
from ssr.running.checkpoints import Termination

Rows = list[list[str]]
"""Of the history of a training, one for each iteration."""


class Checkpoints(Hook):
    """Save all that the next iteration depends on, every `interval` iterations and at the end.

    The first process writes. When any process was asked to end, all stop behind the iteration in
    progress, and exit when it is saved.
    """

    priority = "LOWEST"

    def __init__(
        self, folder: Path, interval: int, termination: Termination, history: Rows
    ) -> None:
        self.folder = folder
        self.interval = interval
        self.termination = termination
        self.history = history

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        """Save where it is due."""
        done = runner.iter + 1
        last = done == runner.max_iters
        # What is agreed on: a signal that comes from here on is seen behind the next iteration.
        agreed = torch.tensor(self.termination.number)
        all_reduce(agreed, "max")
        number = int(agreed)
        if (last or number or done % self.interval == 0) and is_main_process():
            save(self.folder, done, runner, self.history)
        if number and not last:
            barrier()  # a launcher kills the others when the first of them ends
            self.termination.number = number
            self.termination.leave()


def save(folder: Path, iteration: int, runner: Runner, history: Rows) -> None:
    """Write a checkpoint of the model and the optimiser of `runner`, and what was told so far."""
    state = {
        "iteration": iteration,
        "history": history,
        "model": runner.model.state_dict(),
        "optimiser": runner.optim_wrapper.state_dict(),
    }
    checkpoints.save(folder, iteration, state)


def restore(runner: Runner, state: dict[str, Any]) -> None:
    """Put a checkpoint back into the model and the optimiser of `runner`."""
    runner.model.load_state_dict(state["model"])
    runner.optim_wrapper.load_state_dict(state["optimiser"])


def newest_of_all(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint that the first process can read, in all processes.

    Others may see an older folder: shared file systems take their time.
    """
    if get_world_size() == 1:
        return checkpoints.newest(folder)
    stream = io.BytesIO()
    if is_main_process():
        torch.save(checkpoints.newest(folder), stream)
    content = torch.from_numpy(np.frombuffer(stream.getvalue(), np.uint8).copy())
    size = torch.tensor(len(content))
    broadcast(size)
    if not is_main_process():
        content = torch.empty(int(size), dtype=torch.uint8)
    broadcast(content)
    state: dict[str, Any] | None = torch.load(
        io.BytesIO(content.numpy().tobytes()), weights_only=True
    )
    return state
