"""CLIPs of one shape that learn the same lessons side by side, as one stack of weights.

Each has its seed and its dose: the share of images whose strokes it is told. All else is
`ssr.pretraining.clip`'s; on a GPU twelve take little longer than one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from ssr.pretraining.clip import Vocabulary, build_clip, multi_positive_loss, patch_tokens, project
from ssr.pretraining.loop import cosine
from ssr.pretraining.recipes import ClipRecipe

WARM_UP = 60
LARGEST_GRADIENT = 1.0
MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # as in torch.optim.Muon, and 5 rounds
PREFIX = "model."


class StackLosses(nn.Module):
    """The losses of `ssr.pretraining.clip.ClipLosses` for a lesson whose strokes are drawn."""

    def __init__(self, model: nn.Module, recipe: ClipRecipe) -> None:
        super().__init__()
        self.model = model
        self.recipe = recipe

    def forward(self, told: Tensor, lesson: Mapping[str, Tensor]) -> Tensor:
        """(4,) of contrast, stroke, early stroke, value stroke; told (B,) bool: with strokes."""
        model: Any = self.model
        entering, values, out = patch_tokens(
            model, lesson["inputs"], lesson["places"], lesson["kept"]
        )
        encoded = self._encode(lesson["texts"], lesson["ends"])
        captions, prompts = encoded[: len(told)], encoded[len(told) :]
        scale = model.logit_scale.exp().clamp(max=self.recipe.maximal_scale)
        images = project(model, out.mean(1))
        contrast = multi_positive_loss(scale * images @ captions.T, lesson["matches"])
        spoken = (lesson["targets"] >= 0) & told[:, None]
        wanted = lesson["targets"].clamp(min=0)[..., None]

        def name_loss(tokens: Tensor) -> Tensor:
            logits = scale * project(model, lesson["weights"] @ tokens) @ prompts.T
            each = -logits.log_softmax(-1).gather(-1, wanted)[..., 0]
            return (each * spoken).sum() / spoken.sum().clamp(min=1)

        return torch.stack([contrast, *map(name_loss, (out, entering, values))])

    def _encode(self, texts: Tensor, ends: Tensor) -> Tensor:
        """As `ssr.pretraining.clip.encode_captions`, without a shape that depends on values."""
        model: Any = self.model
        length = texts.shape[1]
        tokens = model.token_embedding(texts) + model.positional_embedding[:length]
        tokens = model.transformer(tokens, attn_mask=model.attn_mask[:length, :length])
        last = ends[:, None, None].expand(-1, 1, tokens.shape[-1])
        ended = model.ln_final(tokens).gather(1, last)[:, 0]
        return F.normalize(ended @ model.text_projection, dim=-1)


def orthogonal(updates: Tensor) -> Tensor:
    """A stack of matrices (n, r, c) with their singular values brought near 1."""
    wide = updates.bfloat16() if updates.is_cuda else updates  # slow on processors
    tall = wide.shape[1] > wide.shape[2]
    wide = wide.mT if tall else wide
    wide = wide / wide.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    first, second, third = NEWTON_SCHULZ
    for _ in range(5):
        gram = wide @ wide.mT
        step = torch.baddbmm(gram, gram, gram, beta=second, alpha=third)
        wide = torch.baddbmm(wide, step, wide, beta=first)
    return (wide.mT if tall else wide).to(updates.dtype)


class StackedMuon:
    """torch.optim.Muon for stacks of matrices (models, r, c), every matrix by itself."""

    def __init__(self, stacks: Sequence[Tensor], decay: float) -> None:
        self.stacks = list(stacks)
        self.decay = decay
        self.momenta = [torch.zeros_like(stack) for stack in stacks]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step with the gradients that the stacks hold."""
        grads = [stack.grad for stack in self.stacks]
        torch._foreach_lerp_(self.momenta, grads, 1 - MOMENTUM)
        updates = torch._foreach_lerp(grads, self.momenta, MOMENTUM)
        torch._foreach_mul_(self.stacks, 1 - rate * self.decay)
        for shape in {stack.shape for stack in self.stacks}:
            here = [i for i, stack in enumerate(self.stacks) if stack.shape == shape]
            turned = orthogonal(torch.cat([updates[i] for i in here])).split(shape[0])
            pace = -rate * 0.2 * math.sqrt(max(shape[1:]))
            torch._foreach_add_([self.stacks[i] for i in here], list(turned), alpha=pace)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for stack in self.stacks:
            stack.grad = None


class ClipStack:
    """The weights of all CLIPs, (models, …) each, and their steps."""

    def __init__(
        self,
        model: str,
        kinds: Sequence[tuple[float, int]],
        vocabulary: Vocabulary,
        recipe: ClipRecipe,
        device: str,
    ) -> None:
        """`model` is a JSON file; `kinds` are the dose (0..1) and the seed of each CLIP."""
        self.recipe = recipe
        self.device = device
        models = [
            build_clip(model, vocabulary, replace(recipe, seed=seed)).to(device)
            for _, seed in kinds
        ]
        self.losses = StackLosses(models[0], recipe)
        named = [dict(each.named_parameters()) for each in models]
        self.weights = {
            PREFIX + name: torch.stack([own[name].detach() for own in named]).requires_grad_()
            for name, parameter in named[0].items()
            if parameter.requires_grad
        }
        self.doses = torch.tensor([dose for dose, _ in kinds], device=device)
        inner = {k for k, w in self.weights.items() if w.ndim == 3 and "resblocks" in k}
        self.muon = StackedMuon([self.weights[k] for k in inner], recipe.weight_decay)
        others = [weight for k, weight in self.weights.items() if k not in inner]
        self.adamw = torch.optim.AdamW(others, recipe.rate, (0.9, 0.98), weight_decay=0.0)
        self.done = 0

    def step(self, lesson: Mapping[str, Tensor]) -> Tensor:
        """One step of every model; its losses (models, 4)."""
        lesson = {name: value.to(self.device) for name, value in lesson.items()}
        told = lesson["share"] < self.doses[:, None]

        def losses(weights: dict[str, Tensor], told: Tensor) -> Tensor:
            return functional_call(self.losses, weights, (told, lesson))

        with sdpa_kernel(SDPBackend.MATH):
            parts = vmap(losses)(self.weights, told)
        self.muon.zero_grad()
        self.adamw.zero_grad()
        (parts @ self._shares().to(parts)).sum().backward()
        self._clip_gradients()
        factor = cosine(self.done, self.recipe.steps, WARM_UP)
        self.muon.step(factor * self.recipe.matrix_rate)
        self.adamw.param_groups[0]["lr"] = factor * self.recipe.rate
        self.adamw.step()
        self.done += 1
        return parts.detach()

    def _shares(self) -> Tensor:
        recipe = self.recipe
        early, value = recipe.early_stroke_weight, recipe.value_stroke_weight
        late = self.done >= recipe.value_start
        pair = (0.0, value) if late else (early, 0.0)
        return torch.tensor([1.0, recipe.stroke_weight, *pair])

    def _clip_gradients(self) -> None:
        """Bring the gradient of each model to at most `LARGEST_GRADIENT`."""
        grads = [weight.grad for weight in self.weights.values() if weight.grad is not None]
        norm = torch.stack([grad.reshape(len(grad), -1).norm(dim=1) for grad in grads]).norm(dim=0)
        factor = (LARGEST_GRADIENT / (norm + 1e-6)).clamp(max=1)
        for grad in grads:
            grad *= factor.view(-1, *[1] * (grad.ndim - 1))

    def state(self, index: int) -> dict[str, Tensor]:
        """The weights of one model."""
        own = {k.removeprefix(PREFIX): w[index].detach() for k, w in self.weights.items()}
        return {**self.losses.model.state_dict(), **own}
