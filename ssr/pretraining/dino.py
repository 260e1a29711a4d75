"""A small DINO: self-distillation of class tokens, and of anonymous segments as in DetCon.

No class label is used. The world's exact label map only says which patches of an image belong
together; the same label in two images counts as two unrelated segments.
"""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import timm
import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from ssr.pretraining.corpus import Corpus
from ssr.pretraining.loop import Trainer, make_adamw
from ssr.pretraining.mimetic import initialise_attention
from ssr.pretraining.segments import (
    balanced_assignment,
    cross_entropy,
    grouping_loss,
    pair_segments,
)
from ssr.pretraining.views import (
    Views,
    colour_jitter,
    object_centres,
    patch_names,
    patch_shares,
    sample_views,
    sine_cosine_positions,
    window_positions,
)

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
DEVIATION = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def normalise_pixels(pixels: Tensor) -> Tensor:
    """Pixels in 0..1 to DINO's input range."""
    return (pixels - MEAN) / DEVIATION


@dataclass(frozen=True)
class DinoRecipe:
    """Sizes and counts of the DINO pretraining; crops come first, large views last.

    Grouping starts once tokens mean something; without it the last block's attention drifts away
    from being an affinity.
    """

    width: int = 128
    layers: int = 6
    crop_steps: int = 1550
    scene_steps: int = 100
    crop: int = 64
    crop_batch: int = 64
    scene_batch: int = 20
    rate: float = 1e-3
    weight_decay: float = 0.05
    prototypes: int = 256
    teacher_temperature: float = 0.03
    student_temperature: float = 0.1
    first_momentum: float = 0.98
    segment_weight: float = 1.0
    grouping_weight: float = 2.0
    grouping_start: int = 800
    jitter: float = 0.35
    position_scale: float = 0.3
    seed: int = 0

    @property
    def steps(self) -> int:
        """All steps of both phases."""
        return self.crop_steps + self.scene_steps


def model_description(recipe: DinoRecipe) -> dict[str, Any]:
    """Architecture and options in timm's JSON format."""
    options = {
        "img_size": 112,
        "patch_size": 8,
        "embed_dim": recipe.width,
        "depth": recipe.layers,
        "num_heads": recipe.width // 32,
    }
    return {"architecture": "vit_small_patch16_224", "model_args": options}


def build_dino(recipe: DinoRecipe) -> VisionTransformer:
    """A fresh vision transformer: fixed sine-cosine positions, mimetic attention."""
    generator = torch.Generator().manual_seed(recipe.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        description = model_description(recipe)
        model: Any = timm.create_model(
            description["architecture"],
            pretrained=False,
            num_classes=0,
            dynamic_img_size=True,
            **description["model_args"],
        )
    model.pos_embed.requires_grad_(False)
    model.pos_embed.zero_()
    model.pos_embed[0, 1:] = sine_cosine_positions(recipe.width, 14) * recipe.position_scale
    for block in model.blocks:
        attention = block.attn
        initialise_attention(
            attention.qkv.weight.data,
            attention.proj.weight.data,
            attention.num_heads,
            generator,
            value_sign=-1.0,
        )
    return cast(VisionTransformer, model)


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


def view_tokens(
    model: VisionTransformer, inputs: Tensor, corner: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Class and patch tokens entering the last block and after the last norm, (B, 1 + n, width)."""
    assert model.pos_embed is not None
    assert model.cls_token is not None
    embedded = model.patch_embed(inputs).flatten(1, 2)
    positions = window_positions(model.pos_embed[0], inputs.shape[-1] // 8, corner)
    first = model.cls_token.expand(len(embedded), -1, -1)
    tokens = torch.cat([first, embedded], 1) + positions
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

    def __init__(self, recipe: DinoRecipe) -> None:
        super().__init__()
        self.backbone = build_dino(recipe)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed + 1)
            self.class_head = PrototypeHead(recipe.width, recipe.prototypes)
            self.segment_head = PrototypeHead(recipe.width, recipe.prototypes)


class DinoLosses:
    """The losses of a step, as a function of the step's number alone."""

    def __init__(
        self, student: DinoNetwork, teacher: DinoNetwork, corpus: Corpus, recipe: DinoRecipe
    ) -> None:
        self.student = student
        self.teacher = teacher
        self.corpus = corpus
        self.recipe = recipe

    def _views(self, step: int, chance: np.random.Generator) -> tuple[Views, Views]:
        crops = step < self.recipe.crop_steps
        size, batch = (
            (self.recipe.crop, self.recipe.crop_batch) if crops else (112, self.recipe.scene_batch)
        )
        images, labels = self.corpus.rows(chance.integers(0, len(self.corpus), batch))
        centres = object_centres(labels, chance)
        smallest, largest = (0.75, 1.3) if crops else (0.65, 1.0)

        def view() -> Views:
            shift = chance.uniform(-10, 10, (batch, 2))
            scales = chance.uniform(smallest, largest, batch)
            flips = chance.random(batch) < 0.5
            return sample_views(images, labels, centres + shift, scales, flips, size)

        return view(), view()

    def _tokens(
        self,
        network: DinoNetwork,
        pixels: Tensor,
        chance: np.random.Generator,
        noise: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        grid = pixels.shape[-1] // 8
        row, column = (int(v) for v in chance.integers(0, 15 - grid, 2))
        inputs = normalise_pixels(colour_jitter(pixels, self.recipe.jitter, noise))
        return view_tokens(network.backbone, inputs, (row, column))

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Named losses of one step; "loss" is the sum to minimise."""
        recipe = self.recipe
        chance = np.random.default_rng([recipe.seed, 2, step])
        noise = torch.Generator().manual_seed(int(chance.integers(1 << 62)))
        seen, shown = self._views(step, chance)
        names = patch_names(patch_shares(seen.labels))
        pairs = pair_segments(names, patch_names(patch_shares(shown.labels)))
        with torch.no_grad():
            _, target = self._tokens(self.teacher, shown.pixels, chance, noise)
            pooled = (pairs.pooling[:, None] @ target[pairs.owner, 1:])[:, 0]
            class_target = self.teacher.class_head(target[:, 0])
            segment_target = self.teacher.segment_head(pooled)
        entering, tokens = self._tokens(self.student, seen.pixels, chance, noise)
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


def train_dino(
    corpus: Corpus, recipe: DinoRecipe, work: Path, stop_at: int | None = None
) -> VisionTransformer:
    """Train or resume; returns the teacher's backbone."""
    student = DinoNetwork(recipe)
    teacher = copy.deepcopy(student).requires_grad_(False)
    optimizers: list[torch.optim.Optimizer] = [
        make_adamw([student], recipe.rate, recipe.weight_decay)
    ]
    modules: dict[str, nn.Module] = {"student": student, "teacher": teacher}
    trainer = Trainer(modules, optimizers, work, recipe.steps, clip_norm=3.0)
    losses = DinoLosses(student, teacher, corpus, recipe)
    trainer.run(losses, lambda step: follow(teacher, student, momentum(step, recipe)), stop_at)
    return teacher.backbone.eval()
