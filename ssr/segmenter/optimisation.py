"""What a training steps, and at which rate."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from ssr.alignment.online import OnlineAlignment
from ssr.config import Segmenter
from ssr.segmenter.joint import JointOptimiser
from ssr.segmenter.micro_batches import SharedOptimiser

HEADS = ("decode_head.", "auxiliary_head.")
ALIGNED = "decode_head.patch_text.heads."


def rate_factor(iteration: int, settings: Segmenter) -> float:
    """Share of the learning rate at an iteration: linear warm-up, then polynomial decay to zero."""
    if iteration < settings.warmup:
        return (iteration + 1) / (settings.warmup + 1)
    return float((1 - iteration / settings.iterations) ** settings.power)


def make_optimiser(model: nn.Module, settings: Segmenter) -> torch.optim.Optimizer:
    """AdamW with a multiple of the learning rate on the decoder.

    Frozen weights are left out, and heads of CMPA, which have a rate of their own.
    """
    rate = settings.learning_rate
    groups: dict[float, list[nn.Parameter]] = {rate: [], rate * settings.decoder_multiplier: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and not name.startswith(ALIGNED):
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


def optimiser_of(
    model: nn.Module, settings: Segmenter, device: torch.device, alignment: OnlineAlignment | None
) -> SharedOptimiser:
    """That of the model, or of the model and CMPA together."""
    optimiser = make_optimiser(model, settings)
    if alignment:
        return JointOptimiser(optimiser, settings, device, alignment)
    return SharedOptimiser(optimiser, settings, device)


class LearningRate(Hook):
    """Set the learning rate of the iteration, where it is not constant."""

    priority = "HIGHEST"

    def __init__(self, settings: Segmenter) -> None:
        self.settings = settings

    def before_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        """Called in front of the first micro-batch."""
        factor = rate_factor(runner.iter, self.settings)
        for group in scheduled(runner):
            group["lr"] = group["base_lr"] * factor


def scheduled(runner: Runner) -> list[dict[str, Any]]:
    """The groups of weights whose learning rate is not constant."""
    groups = runner.optim_wrapper.optimizer.param_groups
    return [group for group in groups if "base_lr" in group]
