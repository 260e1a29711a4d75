"""A small DINO: self-distillation of class tokens, and of anonymous segments as in DetCon.

No class label is used. Segments only say which patches of an image belong together; the same number
in two images counts as two unrelated segments.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from ssr.backbones.networks import load_dino, normalise_pixels
from ssr.data.images import IMAGENET_MEAN, IMAGENET_STD
from ssr.errors import InputError
from ssr.pretraining.lessons import Chance, DinoLessons, Sight
from ssr.pretraining.loop import Trainer, make_adamw
from ssr.pretraining.mimetic import fresh, initialise_attention
from ssr.pretraining.positions import fix_positions, read_positions
from ssr.pretraining.recipes import DinoRecipe
from ssr.pretraining.segments import (
    balanced_assignment,
    cross_entropy,
    grouping_loss,
    pair_segments,
)

PURPOSE = 2  # of the randomness of a step; CLIP has another one


def build_dino(name: str, recipe: DinoRecipe) -> VisionTransformer:
    """A fresh vision transformer: fixed sine-cosine positions, mimetic attention.

    Raises:
        InputError: the model is unknown, or no plain vision transformer on a square grid.
    """
    loaded = load_dino(fresh(name), "cpu").requires_grad_(True).train()
    if not isinstance(loaded, VisionTransformer):
        raise InputError(
            f"weights: train takes a DINO of timm's vision_transformer; {name} is another kind"
        )
    model: Any = loaded
    generator = torch.Generator().manual_seed(recipe.seed)
    model.pos_embed.requires_grad_(False)
    fix_positions(model.pos_embed[0], model.patch_embed.grid_size, recipe.position_scale)
    for block in model.blocks:
        attention = block.attn
        initialise_attention(
            attention.qkv.weight.data,
            attention.proj.weight.data,
            attention.num_heads,
            generator,
            value_sign=-1.0,
        )
    return loaded


class PrototypeHead(nn.Module):
    """Cosines to learned prototypes behind a small batch-normalised MLP: (n, d) -> (n, K)."""

    def __init__(
        self, width: int, prototypes: int, hidden: int = 256, bottleneck: int = 64
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.GELU(),
            nn.Linear(hidden, bottleneck),
            nn.BatchNorm1d(bottleneck, affine=False),
        )
        self.prototypes = nn.Parameter(0.02 * torch.randn(prototypes, bottleneck))

    def forward(self, features: Tensor) -> Tensor:
        """Cosines in -1..1."""
        reduced = F.normalize(self.layers(features), dim=-1)
        return reduced @ F.normalize(self.prototypes, dim=-1).T


def view_tokens(model: VisionTransformer, inputs: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Class and patch tokens entering the last block and after the last norm, (B, 1 + n, width)."""
    assert model.pos_embed is not None
    assert model.cls_token is not None
    table = model.pos_embed[0]
    embedded = model.patch_embed(inputs).flatten(1, 2) + read_positions(table[1:], places)
    first = (model.cls_token + table[0]).expand(len(embedded), -1, -1)
    tokens = torch.cat([first, embedded], 1)
    *early, last = model.blocks
    for block in early:
        tokens = block(tokens)
    return tokens, model.norm(last(tokens))


def patch_attention(block: Any, entering: Tensor) -> Tensor:
    """Head-averaged attention among patches, (B, n, n), of a block that (B, 1 + n, d) enter."""
    batch, count, width = entering.shape
    heads = block.attn.num_heads
    mixed = block.attn.qkv(block.norm1(entering)).view(batch, count, 3, heads, width // heads)
    queries, keys, _ = mixed.permute(2, 0, 3, 1, 4)
    weights = (queries @ keys.transpose(-1, -2) / (width // heads) ** 0.5).softmax(-1)
    return weights.mean(1)[:, 1:, 1:]


class DinoNetwork(nn.Module):
    """Backbone with its two heads."""

    def __init__(self, model: str, recipe: DinoRecipe) -> None:
        super().__init__()
        self.backbone = build_dino(model, recipe)
        width = self.backbone.embed_dim
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed + 1)
            self.class_head = PrototypeHead(width, recipe.prototypes)
            self.segment_head = PrototypeHead(width, recipe.prototypes)


def look(network: DinoNetwork, sight: Sight) -> tuple[Tensor, Tensor]:
    """The tokens of `view_tokens` for a sight."""
    inputs = normalise_pixels(sight.pixels, IMAGENET_MEAN, IMAGENET_STD)
    device = network.class_head.prototypes.device
    return view_tokens(network.backbone, inputs.to(device), sight.places)


class DinoLosses:
    """The losses of a step, as a function of the step's number alone."""

    def __init__(
        self, student: DinoNetwork, teacher: DinoNetwork, lessons: DinoLessons, recipe: DinoRecipe
    ) -> None:
        self.student = student
        self.teacher = teacher
        self.lessons = lessons
        self.recipe = recipe

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Named losses of one step; "loss" is the sum to minimise."""
        recipe = self.recipe
        device = self.student.class_head.prototypes.device
        seen, shown = self.lessons.draw(step, Chance.of(recipe.seed, PURPOSE, step))
        names = seen.names.to(device)
        pairs = pair_segments(names, shown.names.to(device))
        with torch.no_grad():
            _, target = look(self.teacher, shown)
            pooled = (pairs.pooling[:, None] @ target[pairs.owner, 1:])[:, 0]
            class_target = self.teacher.class_head(target[:, 0])
            segment_target = self.teacher.segment_head(pooled)
        entering, tokens = look(self.student, seen)
        class_logits = self.student.class_head(tokens[:, 0])
        patches = tokens[:, 1:].flatten(0, 1)[pairs.patches]
        segment_logits = self.student.segment_head(patches)
        temperatures = recipe.teacher_temperature, recipe.student_temperature
        class_shares = balanced_assignment(class_target, temperatures[0])
        segment_shares = balanced_assignment(segment_target, temperatures[0])
        class_loss = cross_entropy(class_shares, class_logits, temperatures[1]).mean()
        by_patch = cross_entropy(segment_shares[pairs.segment], segment_logits, temperatures[1])
        segment_loss = (by_patch * pairs.weight).sum()
        attention = patch_attention(self.student.backbone.blocks[-1], entering)
        grouping = grouping_loss(attention, names)
        loss = class_loss + recipe.segment_weight * segment_loss
        if step >= recipe.grouping_start:
            loss = loss + recipe.grouping_weight * grouping
        entropy = -(class_shares * (class_shares + 1e-9).log()).sum(-1).mean()
        return {
            "loss": loss,
            "class_token": class_loss,
            "segment": segment_loss,
            "grouping": grouping,
            "target_entropy": entropy,
        }


def momentum(step: int, recipe: DinoRecipe) -> float:
    """Share of the teacher kept after a step: rises from the first value to 1 over the run."""
    remaining = 0.5 * (1 + np.cos(np.pi * min(step / recipe.steps, 1.0)))
    return float(1 - (1 - recipe.first_momentum) * remaining)


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, kept: float) -> None:
    """Move the teacher's parameters towards the student's."""
    for own, other in zip(teacher.parameters(), student.parameters(), strict=True):
        own.lerp_(other, 1 - kept)


class DinoTraining:
    """A training of DINO: student, teacher, and the steps to come as an iterator."""

    def __init__(
        self,
        model: str,
        lessons: DinoLessons,
        recipe: DinoRecipe,
        device: torch.device | str = "cpu",
    ) -> None:
        """`model` is a name of the library or the path of a JSON file."""
        self.recipe = recipe
        self.student = DinoNetwork(model, recipe).to(device)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.losses = DinoLosses(self.student, self.teacher, lessons, recipe)

    @property
    def model(self) -> VisionTransformer:
        """The teacher's backbone: what is used afterwards."""
        return self.teacher.backbone

    def run(self, work: Path, stop_at: int | None = None) -> Iterator[int]:
        """Train from the newest checkpoint in `work` to the last step; yields the steps done."""
        recipe = self.recipe
        modules: dict[str, nn.Module] = {"student": self.student, "teacher": self.teacher}
        trainer = Trainer(
            modules,
            [make_adamw([self.student], recipe.rate, recipe.weight_decay)],
            work,
            recipe.steps,
            clip_norm=3.0,
            save_every=recipe.save_every,
        )

        def after_step(step: int) -> None:
            follow(self.teacher, self.student, momentum(step, recipe))

        yield from trainer.run(self.losses, after_step, stop_at)
        self.model.eval()
