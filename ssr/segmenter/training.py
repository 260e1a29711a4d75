"""The training run: mmengine's Runner, with everything derived from the seed and the iteration.

A checkpoint holds the weights, the optimiser and the number of iterations done. Learning rate,
order of images, augmentation and dropout are functions of (seed, iteration), so that a training
killed at any moment ends with the same bits as an undisturbed one.
"""

from __future__ import annotations

import csv
import math
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.utils.data import DataLoader, Dataset

from ssr.alignment.online import OnlineAlignment
from ssr.artefacts.files import replacing
from ssr.config import Segmenter
from ssr.running.checkpoints import Termination
from ssr.running.event_files import event_file
from ssr.running.progress import progress
from ssr.segmenter.checkpoints import Checkpoints, Rows, newest_of_all, restore
from ssr.segmenter.micro_batches import (
    Positions,
    RunningStatistics,
    own_numbers,
    seed_micro_batch,
)
from ssr.segmenter.optimisation import LearningRate, optimiser_of, scheduled

COLUMNS = ("iteration", "loss", "learning_rate")


@dataclass(frozen=True)
class Place:
    """Where a training runs."""

    work: Path
    device: torch.device
    workers: int = 0
    """Processes that load images; 0 loads in between the iterations."""


class History(Hook):
    """A row per iteration as CSV and for TensorBoard.

    `rows` begins with those of the checkpoint: the file may lack some, where the training of a
    killed run goes on beside the one that continues it.
    """

    priority = "LOW"

    def __init__(self, path: Path, rows: Rows) -> None:
        self.path = path
        self.rows = rows

    def before_train(self, runner: Runner) -> None:
        """Write the rows up to the resumed iteration."""
        with replacing(self.path) as temporary, temporary.open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows([COLUMNS, *self.rows])
        self._files = ExitStack()
        self._add = self._files.enter_context(
            event_file(self.path.parent, map(_numbers, self.rows))
        )
        self._stream = self._files.enter_context(self.path.open("a", newline=""))
        self._writer = csv.writer(self._stream, lineterminator="\n")

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Add a row."""
        rate = max(group["lr"] for group in scheduled(runner))
        row = [f"{runner.iter + 1}", f"{outputs['loss']:.6g}", f"{rate:.6g}"]
        self.rows.append(row)
        self._writer.writerow(row)
        self._stream.flush()
        self._add(_numbers(row))

    def after_train(self, runner: Runner) -> None:
        """Close the files."""
        self._files.close()


class RemainingLoop(BaseLoop):
    """The iterations left, for mmengine's runner; its own loop would load all past batches again.

    An iteration is made of micro-batches, of which this process has its own.
    """

    epoch, max_epochs = 0, 1

    def __init__(
        self, runner: Runner, dataloader: DataLoader, settings: Segmenter, seed: int, start: int
    ) -> None:
        super().__init__(runner, dataloader)
        self.iter = start
        self.max_iters = settings.iterations
        self._settings = settings
        self._seed = seed
        self._statistics = RunningStatistics(runner.model, settings.micro_batches)

    def run(self) -> nn.Module:
        """Train; the loader ends with the last iteration."""
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        left = range(self.iter, self.max_iters)
        shown = progress(left, len(left), "train_segmenter") if is_main_process() else left
        with _batches(self.dataloader) as batches:
            for _ in shown:
                self.run_iter(batches)
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_iter(self, batches: Iterator[Any]) -> None:
        """One step of the optimiser."""
        self.runner.call_hook("before_train_iter", batch_idx=self.iter)
        loss = self._step(batches)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at iteration {self.iter + 1}")
        self.runner.call_hook("after_train_iter", batch_idx=self.iter, outputs={"loss": loss})
        self.iter += 1

    def _step(self, batches: Iterator[Any]) -> float:
        """The mean loss of all micro-batches, also those of other processes."""
        model, optimiser = self.runner.model, self.runner.optim_wrapper
        losses = []
        self._statistics.start()
        for number in own_numbers(self._settings):
            batch = next(batches)
            seed_micro_batch(self._seed, self.iter, number)
            with self._statistics.of_one():
                losses.append(model.train_step(batch, optimiser)["loss"].detach())
        self._statistics.finish()
        mean = torch.stack(losses).sum() / self._settings.micro_batches
        all_reduce(mean)
        return mean.item()


class SegmenterRunner(Runner):
    """mmengine's Runner on a given device, continued from a checkpoint without running pickles."""

    def __init__(self, device: torch.device, state: dict[str, Any] | None, **options: Any) -> None:
        self._place = device
        self._state = state
        super().__init__(**options)

    def wrap_model(self, _: Any, model: nn.Module) -> nn.Module:
        """Move the model."""
        return model.to(self._place)

    def load_or_resume(self) -> None:
        """Called when the weights are initialised."""
        if self._state is not None:
            restore(self, self._state)

    def _log_env(self, env_cfg: dict[str, Any]) -> None:
        """mmengine would start compilers to ask for their versions."""


def train(
    model: nn.Module,
    dataset: Dataset[dict[str, Any]],
    settings: Segmenter,
    seed: int,
    place: Place,
    alignment: OnlineAlignment | None = None,
) -> nn.Module:
    """Train `model`, from the newest checkpoint in `place.work` if there is one.

    With `alignment`, whose heads are part of the model, jointly with CMPA.

    With torch.distributed initialised, on all its processes alike; the first one writes.

    Deterministic on a CPU for equal arguments, numbers of threads and processes, and library
    versions; on a GPU as far as torch has deterministic algorithms. How little the number of
    processes changes says `ssr.segmenter.micro_batches`.

    Raises:
        SystemExit: with 128 and the number of the signal when SIGTERM or SIGUSR1 came to any of the
            processes; a checkpoint of the last iteration has been saved.
    """
    place.work.mkdir(parents=True, exist_ok=True)
    state = newest_of_all(place.work)
    start, rows = (state["iteration"], state["history"]) if state else (0, [])
    _prefer_deterministic(place.device)
    termination = Termination()
    hooks = [LearningRate(settings)]
    if is_main_process():
        print(f"train_segmenter: {_beginning(place.work, start)}", file=sys.stderr)
        hooks.append(History(place.work / "history.csv", rows))
    runner = SegmenterRunner(
        place.device,
        state,
        model=model,
        work_dir=str(place.work),
        train_dataloader=_loader(dataset, settings, start, place.workers),
        train_cfg={"type": RemainingLoop, "settings": settings, "seed": seed, "start": start},
        optim_wrapper=optimiser_of(model, settings, place.device, alignment),
        default_hooks=dict.fromkeys(
            ("timer", "sampler_seed", "logger", "param_scheduler", "checkpoint")
        ),
        custom_hooks=[
            *hooks,
            Checkpoints(place.work, settings.checkpoint_every, termination, rows),
        ],
        randomness={"seed": seed},
        default_scope="mmseg",
        experiment_name=uuid4().hex,  # mmengine shares loggers between runs of one name
        log_level="WARNING",
    )
    with termination.awaited():
        return runner.train()


def _numbers(row: list[str]) -> dict[str, float]:
    """A row of the history by the names of its columns."""
    return dict(zip(COLUMNS, map(float, row), strict=True))


def _beginning(work: Path, start: int) -> str:
    return f"continues behind iteration {start} of {work}" if start else f"starts in {work}"


def _prefer_deterministic(device: torch.device) -> None:
    """On a GPU, choose deterministic algorithms; torch warns of those that have none."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)


def _loader(
    dataset: Dataset[dict[str, Any]], settings: Segmenter, start: int, workers: int
) -> DataLoader:
    """The micro-batches that are left to this process."""
    return DataLoader(
        dataset,
        batch_sampler=Positions(settings, start),
        num_workers=workers,
        collate_fn=pseudo_collate,
        worker_init_fn=_outlive_signals,
    )


@contextmanager
def _batches(loader: DataLoader) -> Iterator[Iterator[Any]]:
    """What a loader yields, whose processes end with the block.

    Python would end them with SIGTERM when it exits, and wait: they pass over that signal.
    """
    batches = iter(loader)
    try:
        yield batches
    finally:
        if loader.num_workers:
            batches._shutdown_workers()  # type: ignore[attr-defined]


def _outlive_signals(_worker: int) -> None:
    """In a process that loads images: a scheduler's signal reaches it, too, but it ends by itself.

    Were it gone at once, torch would end the training before a checkpoint is saved.
    """
    for number in Termination.SIGNALS:
        signal.signal(number, signal.SIG_IGN)
