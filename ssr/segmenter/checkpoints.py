"""`ssr.checkpoints` for mmengine's Runner: what is saved of it, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ssr import checkpoints
from ssr.checkpoints import Termination


class Checkpoints(Hook):
    """Save all that the next iteration depends on, every `interval` iterations and at the end.

    On a termination request it saves after the iteration in progress and exits with 143.
    """

    priority = "LOWEST"

    def __init__(self, folder: Path, interval: int, termination: Termination) -> None:
        self.folder = folder
        self.interval = interval
        self.termination = termination

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        """Save where it is due."""
        done = runner.iter + 1
        last = done == runner.max_iters
        if last or self.termination.requested or done % self.interval == 0:
            save(self.folder, done, runner)
        if self.termination.requested and not last:
            self.termination.leave()


def save(folder: Path, iteration: int, runner: Runner) -> None:
    """Write a checkpoint of the model and the optimiser of `runner`."""
    state = {
        "iteration": iteration,
        "model": runner.model.state_dict(),
        "optimiser": runner.optim_wrapper.state_dict(),
    }
    checkpoints.save(folder, iteration, state)


def restore(runner: Runner, state: dict[str, Any]) -> None:
    """Put a checkpoint back into the model and the optimiser of `runner`."""
    runner.model.load_state_dict(state["model"])
    runner.optim_wrapper.load_state_dict(state["optimiser"])
