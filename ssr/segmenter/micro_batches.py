"""An iteration's batch in micro-batches, shared out over processes.

Micro-batch k of an iteration belongs to process k modulo the number of processes. What it makes of
the weights is a function of (seed, iteration, k) alone: its crops, its dropout, and the batch
statistics, of which each micro-batch has its own. Gradients, losses and running statistics are
averaged over all micro-batches. The result thus depends on `micro_batch`, but on the number of
processes only through the order in which floating-point numbers are added.

Two sizes of micro-batch differ in more than that: the loss averages over the pixels of a
micro-batch, and dropout and batch normalisation are drawn for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from mmengine.dist import all_reduce_params, get_dist_info
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ssr.config import Segmenter


def own_numbers(settings: Segmenter) -> range:
    """The micro-batches of an iteration that this process computes."""
    process, processes = get_dist_info()
    return range(process, settings.micro_batches, processes)


def seed_micro_batch(seed: int, iteration: int, number: int) -> None:
    """Seed torch for the dropout of a micro-batch."""
    state = np.random.SeedSequence([seed, iteration, number]).generate_state(1, np.uint64)
    torch.manual_seed(int(state[0] >> np.uint64(1)))


class Positions:
    """Positions in the dataset of the micro-batches left to this process, in order."""

    def __init__(self, settings: Segmenter, start: int) -> None:
        """Begin behind iteration `start`."""
        self._iterations = range(start, settings.iterations)
        self._batch = settings.batch_size
        self._size = settings.batch_size // settings.micro_batches
        self._own = own_numbers(settings)

    def __len__(self) -> int:
        return len(self._iterations) * len(self._own)

    def __iter__(self) -> Iterator[list[int]]:
        for iteration in self._iterations:
            for number in self._own:
                first = iteration * self._batch + number * self._size
                yield list(range(first, first + self._size))


class SharedOptimiser(OptimWrapper):
    """mmengine's wrapper, which steps once all processes have added up the gradients of a batch.

    Forward passes run in bfloat16 where the settings say so; that needs no loss scale.
    """

    def __init__(
        self, optimiser: torch.optim.Optimizer, settings: Segmenter, device: torch.device
    ) -> None:
        super().__init__(optimiser, accumulative_counts=len(own_numbers(settings)))
        self._micro_batches = settings.micro_batches
        mixed = settings.precision == "bfloat16"
        self._autocast = torch.autocast(device.type, torch.bfloat16, enabled=mixed)

    def initialize_count_status(self, model: nn.Module, init_counts: int, max_counts: int) -> None:
        """Nothing: mmengine would count iterations as if they were micro-batches."""

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The forward pass and the loss."""
        with super().optim_context(model), self._autocast:
            yield

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Gradients are averaged over all micro-batches, not over those of this process."""
        return loss / self._micro_batches

    def step(self, **options: object) -> None:
        """Add up the gradients; every micro-batch has them for the same weights."""
        weights = [weight for group in self.param_groups for weight in group["params"]]
        all_reduce_params([weight.grad for weight in weights if weight.grad is not None])
        super().step(**options)


class RunningStatistics:
    """Batch normalisation's running means and variances over the micro-batches of an iteration.

    Each micro-batch renews those from before the iteration; the averages of what comes out are
    kept, so that no order among micro-batches matters.
    """

    def __init__(self, model: nn.Module, micro_batches: int) -> None:
        self._micro_batches = micro_batches
        self._buffers = [
            buffer
            for module in model.modules()
            if isinstance(module, _BatchNorm)
            for buffer in module.buffers(recurse=False)
        ]

    def start(self) -> None:
        """Begin an iteration."""
        self._before = [buffer.clone() for buffer in self._buffers]
        self._means = [torch.zeros_like(buffer) for buffer in self._averaged()]

    @contextmanager
    def of_one(self) -> Iterator[None]:
        """Around the forward pass of a micro-batch."""
        for buffer, before in zip(self._buffers, self._before, strict=True):
            buffer.copy_(before)
        yield
        for buffer, mean in zip(self._averaged(), self._means, strict=True):
            mean += buffer / self._micro_batches

    def finish(self) -> None:
        """End an iteration."""
        all_reduce_params(self._means)
        for buffer, mean in zip(self._averaged(), self._means, strict=True):
            buffer.copy_(mean)

    def _averaged(self) -> list[Tensor]:
        """All but the count of iterations."""
        return [buffer for buffer in self._buffers if buffer.is_floating_point()]
