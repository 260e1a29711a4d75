"""A training loop that counts steps and resumes exactly.

Every step draws its randomness from (seed, step) alone, so a run that was killed and resumed gives
the same weights as one that was not.
"""

import csv
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

StepLosses = Callable[[int], dict[str, Tensor]]


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


def save_atomically(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint so that a kill leaves either the old one or the new one."""
    temporary = path.with_suffix(".partial")
    torch.save(content, temporary)
    os.replace(temporary, path)


class Trainer:
    """Runs steps, writes `history.csv` and `checkpoint.pt` below `work`, and resumes from them.

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
    ) -> None:
        self.modules = modules
        self.optimizers = optimizers
        self.groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        self.rates = [float(group["lr"]) for group in self.groups]
        self.steps = steps
        self.warm_up = warm_up
        self.clip_norm = clip_norm
        self.checkpoint = work / "checkpoint.pt"
        self.history = work / "history.csv"
        self.step = 0
        work.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            self._resume()

    def _resume(self) -> None:
        stored = torch.load(self.checkpoint, weights_only=True)
        for name, module in self.modules.items():
            module.load_state_dict(stored["modules"][name])
        for optimizer, state in zip(self.optimizers, stored["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        self.step = int(stored["step"])
        if self.history.exists():
            with self.history.open() as stream:
                header, *rows = list(csv.reader(stream))
            with self.history.open("w", newline="") as stream:
                csv.writer(stream).writerows([header, *(r for r in rows if int(r[0]) <= self.step)])

    def save(self) -> None:
        """Store everything that the next step depends on."""
        states = {name: module.state_dict() for name, module in self.modules.items()}
        optimizers = [optimizer.state_dict() for optimizer in self.optimizers]
        content = {"modules": states, "optimizers": optimizers, "step": self.step}
        save_atomically(self.checkpoint, content)

    def _record(self, values: dict[str, float]) -> None:
        new = not self.history.exists()
        with self.history.open("a", newline="") as stream:
            writer = csv.writer(stream)
            if new:
                writer.writerow(["step", *values])
            writer.writerow([self.step, *(f"{v:.5f}" for v in values.values())])

    def _advance(self, losses: StepLosses) -> dict[str, Tensor]:
        factor = cosine(self.step, self.steps, self.warm_up)
        for group, rate in zip(self.groups, self.rates, strict=True):
            group["lr"] = rate * factor
        # in float32: bfloat16 is slower on the processors that the recipe was measured on
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
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
        record_every: int = 20,
        save_every: int = 100,
    ) -> None:
        """Train up to `stop_at` (all steps by default); the mean of each loss is recorded."""
        end = self.steps if stop_at is None else min(stop_at, self.steps)
        sums: dict[str, float] = {}
        count = 0
        while self.step < end:
            for name, value in self._advance(losses).items():
                sums[name] = sums.get(name, 0.0) + value.item()
            count += 1
            after_step(self.step)
            if self.step % record_every == 0 or self.step == end:
                self._record({name: total / count for name, total in sums.items()})
                sums, count = {}, 0
            if self.step % save_every == 0 or self.step == end:
                self.save()
