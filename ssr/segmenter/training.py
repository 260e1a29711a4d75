"""The training run: mmengine's Runner, with everything derived from the seed and the iteration.

A checkpoint holds the weights, the optimiser and the number of iterations done. Learning rate,
order of images, augmentation and dropout are functions of (seed, iteration), so that a training
killed at any moment ends with the same bits as an undisturbed one.
"""

from __future__ import annotations

import csv
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader, Dataset

from ssr.checkpoints import Termination, newest
from ssr.config import Segmenter
from ssr.files import replacing
from ssr.progress import progress
from ssr.segmenter.checkpoints import Checkpoints, restore

COLUMNS = ("iteration", "loss", "learning_rate")
HEADS = ("decode_head.", "auxiliary_head.")


@dataclass(frozen=True)
class Place:
    """Where a training runs."""

    work: Path
    device: torch.device
    workers: int = 0
    """Processes that load images; 0 loads in between the iterations."""


def rate_factor(iteration: int, settings: Segmenter) -> float:
    """Share of the learning rate at an iteration: linear warm-up, then polynomial decay to zero."""
    if iteration < settings.warmup:
        return (iteration + 1) / (settings.warmup + 1)
    return float((1 - iteration / settings.iterations) ** settings.power)


def make_optimiser(model: nn.Module, settings: Segmenter) -> torch.optim.Optimizer:
    """AdamW with a multiple of the learning rate on the decoder; frozen weights are left out."""
    rate = settings.learning_rate
    groups: dict[float, list[nn.Parameter]] = {rate: [], rate * settings.decoder_multiplier: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            multiplier = settings.decoder_multiplier if name.startswith(HEADS) else 1.0
            groups[rate * multiplier].append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": lr, "base_lr": lr}
            for lr, parameters in groups.items()
            if parameters
        ],
        weight_decay=settings.weight_decay,
    )


class Precision(OptimWrapper):
    """An optimiser whose forward passes run in bfloat16 where `enabled`; it needs no loss scale."""

    def __init__(self, optimiser: torch.optim.Optimizer, device: torch.device, enabled: bool):
        super().__init__(optimiser)
        self._autocast = torch.autocast(device.type, torch.bfloat16, enabled=enabled)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The forward pass and the loss."""
        with super().optim_context(model), self._autocast:
            yield


class DerivedState(Hook):
    """Set what depends on the iteration alone: the learning rate and torch's generator."""

    priority = "HIGHEST"

    def __init__(self, settings: Segmenter, seed: int) -> None:
        self.settings = settings
        self.seed = seed

    def before_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        """Called when the batch is loaded."""
        factor = rate_factor(runner.iter, self.settings)
        for group in runner.optim_wrapper.optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        state = np.random.SeedSequence([self.seed, runner.iter]).generate_state(1, np.uint64)
        torch.manual_seed(int(state[0] >> np.uint64(1)))


class History(Hook):
    """One row per iteration in a CSV file; rows behind a resumed iteration are cut off."""

    priority = "LOW"

    def __init__(self, path: Path, start: int) -> None:
        self.path = path
        rows = list(csv.reader(path.open())) if path.exists() else [list(COLUMNS)]
        self._rows: list[list[Any]] = rows[: start + 1]

    def before_train(self, runner: Runner) -> None:
        """Write the rows up to the resumed iteration."""
        with replacing(self.path) as temporary, temporary.open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(self._rows)
        self._stream = self.path.open("a", newline="")
        self._writer = csv.writer(self._stream, lineterminator="\n")

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Add a row."""
        loss = outputs["loss"].item()
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at iteration {runner.iter + 1}")
        rate = max(group["lr"] for group in runner.optim_wrapper.optimizer.param_groups)
        self._writer.writerow([runner.iter + 1, f"{loss:.6g}", f"{rate:.6g}"])
        self._stream.flush()

    def after_train(self, runner: Runner) -> None:
        """Close the file."""
        self._stream.close()


class RemainingLoop(IterBasedTrainLoop):
    """mmengine's loop over the iterations left; its own would load all past batches once more."""

    def __init__(self, runner: Runner, dataloader: DataLoader, max_iters: int, start: int) -> None:
        super().__init__(runner, dataloader, max_iters)
        self._iter = start

    def run(self) -> nn.Module:
        """Train; the loader ends with the last iteration."""
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for batch in progress(self.dataloader, len(self.dataloader), "train_segmenter"):
            self.run_iter(batch)
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model


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
) -> nn.Module:
    """Train `model`, from the newest checkpoint in `place.work` if there is one.

    Deterministic on a CPU for equal arguments, number of threads and library versions; on a GPU as
    far as torch has deterministic algorithms.

    Raises:
        SystemExit: 143 when SIGTERM came; a checkpoint of the last iteration has been saved.
    """
    place.work.mkdir(parents=True, exist_ok=True)
    state = newest(place.work)
    start = state["iteration"] if state else 0
    print(f"train_segmenter: {_beginning(place.work, start)}", file=sys.stderr)
    _prefer_deterministic(place.device)
    termination = Termination()
    runner = SegmenterRunner(
        place.device,
        state,
        model=model,
        work_dir=str(place.work),
        train_dataloader=_loader(dataset, settings, start, place.workers),
        train_cfg={"type": RemainingLoop, "max_iters": settings.iterations, "start": start},
        optim_wrapper=Precision(
            make_optimiser(model, settings), place.device, settings.precision == "bfloat16"
        ),
        default_hooks=dict.fromkeys(
            ("timer", "sampler_seed", "logger", "param_scheduler", "checkpoint")
        ),
        custom_hooks=[
            DerivedState(settings, seed),
            History(place.work / "history.csv", start),
            Checkpoints(place.work, settings.checkpoint_every, termination),
        ],
        randomness={"seed": seed},
        default_scope="mmseg",
        experiment_name=uuid4().hex,  # mmengine shares loggers between runs of one name
        log_level="WARNING",
    )
    with termination.awaited():
        return runner.train()


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
    """Batches of the iterations that are left: the sampler is the range of their positions."""
    size = settings.batch_size
    return DataLoader(
        dataset,
        batch_size=size,
        sampler=range(start * size, settings.iterations * size),
        num_workers=workers,
        collate_fn=pseudo_collate,
    )
