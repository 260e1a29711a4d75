"""A training loop that counts steps and resumes exactly.

Every step draws its randomness from (seed, step) alone, so a run that was killed and resumed gives
the same weights as one that was not.
"""

import csv
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ssr.artefacts.files import replacing
from ssr.running import checkpoints
from ssr.running.event_files import event_file

StepLosses = Callable[[int], dict[str, Tensor]]
# in float32: bfloat16 is slower on the processors that the recipes were measured on
KERNELS = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def cosine(step: int, steps: int, warm_up: int) -> float:
    """Learning-rate factor: linear warm-up, then a half cosine down to 2 % of the peak."""
    decay = 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0)))
    return min(1.0, (step + 1) / warm_up) * (0.98 * decay + 0.02)


def make_adamw(modules: Iterable[nn.Module], rate: float, decay: float) -> torch.optim.AdamW:
    """AdamW without weight decay on vectors and embeddings."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for module in modules:
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                free = parameter.ndim < 2 or "embed" in name
                (plain if free and "patch_embed" not in name else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))


def make_muon(
    module: nn.Module, blocks: str, rate: float, matrix_rate: float, decay: float
) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of layers with `blocks` in their name, AdamW for everything else."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            inner = parameter.ndim == 2 and blocks in name
            (matrices if inner else others).append(parameter)
    muon = torch.optim.Muon(
        matrices, lr=matrix_rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"
    )
    return [muon, torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)]


class Trainer:
    """Runs steps, writes checkpoints and `history.csv` below `work`, and resumes from them.

    modules: everything trained or averaged, by name; `losses(step)` returns named scalars, of which
    "loss" is minimised; `after_step` sees the step just done (for averages of weights).
    """

    def __init__(
        self,
        modules: dict[str, nn.Module],
        optimizers: list[torch.optim.Optimizer],
        work: Path,
        steps: int,
        warm_up: int = 100,
        clip_norm: float = 1.0,
        save_every: int = 100,
    ) -> None:
        self.modules = modules
        self.optimizers = optimizers
        self.groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        self.rates = [float(group["lr"]) for group in self.groups]
        self.steps = steps
        self.warm_up = warm_up
        self.clip_norm = clip_norm
        self.save_every = save_every
        self.work = work
        self.step = 0
        self.history: list[dict[str, float]] = []
        if stored := checkpoints.newest(work):
            self._resume(stored)

    def _resume(self, stored: dict[str, Any]) -> None:
        for name, module in self.modules.items():
            module.load_state_dict(stored["modules"][name])
        for optimizer, state in zip(self.optimizers, stored["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        self.step = int(stored["step"])
        self.history = stored["history"]

    def save(self) -> None:
        """Store everything that the next step depends on, and the losses so far."""
        content = {
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "history": self.history,
        }
        checkpoints.save(self.work, self.step, content)
        if self.history:
            write_history(self.work / "history.csv", self.history)

    def _advance(self, losses: StepLosses) -> dict[str, Tensor]:
        factor = cosine(self.step, self.steps, self.warm_up)
        for group, rate in zip(self.groups, self.rates, strict=True):
            group["lr"] = rate * factor
        with sdpa_kernel(KERNELS, set_priority=True):
            values = losses(self.step)
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            values["loss"].backward()
        trained = [parameter for group in self.groups for parameter in group["params"]]
        nn.utils.clip_grad_norm_(trained, self.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        return values

    def run(
        self,
        losses: StepLosses,
        after_step: Callable[[int], None] = lambda step: None,
        stop_at: int | None = None,
    ) -> Iterator[int]:
        """Train up to `stop_at` (all steps by default); yields the steps done.

        A kill loses at most `save_every` steps. A SIGTERM or SIGUSR1 loses none: the
        state is saved and the process exits with 128 and the number of the signal.
        """
        end = self.steps if stop_at is None else min(stop_at, self.steps)
        termination = checkpoints.Termination()
        with termination.awaited(), event_file(self.work, self.history) as add:
            while self.step < end:
                values = self._advance(losses)
                after_step(self.step)
                losses_now = {name: value.item() for name, value in values.items()}
                self.history.append({"step": self.step, **losses_now})
                add(self.history[-1])
                last = self.step == end
                stopping = termination.requested  # once: a signal may come while this is saved
                if self.step % self.save_every == 0 or last or stopping:
                    self.save()
                if stopping:
                    termination.leave()
                yield self.step


def write_history(path: Path, history: list[dict[str, float]]) -> None:
    """One row a step as CSV."""
    with replacing(path) as temporary, temporary.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(history[0]))
        writer.writeheader()
        for row in history:
            writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
