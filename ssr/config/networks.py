"""Settings of the two networks: their models, their training, and what is taken from them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ssr.config.architectures import (
    check_tag,
    clip_architecture,
    dino_architecture,
    names_file,
    names_tag,
)
from ssr.config.section import Count, FilePath, Positive, Section
from ssr.errors import InputError

# CLIP-ES on VOC. Without any, its CAMs fall from 70.8 to 29.5 mIoU.
DEFAULT_BACKGROUNDS = (
    *("ground", "land", "grass", "tree", "building", "wall", "sky", "lake", "water", "river"),
    *("sea", "railway", "railroad", "keyboard", "helmet", "cloud", "house", "mountain", "ocean"),
    *("road", "rock", "street", "valley", "bridge", "sign"),
)


class Backbone(Section):
    """A frozen network and its weights."""

    model: FilePath = Field(description="open_clip or timm name, or a model JSON")
    weights: FilePath = Field(description="random, train, a pretrained tag, or a local file")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="checked when given")

    @model_validator(mode="after")
    def _only_a_file_has_a_checksum(self) -> Self:
        if self.sha256 and not names_file(self.weights):
            raise ValueError(f"sha256 is checked for local files only; weights: {self.weights}")
        return self


class Backbones(Section):
    """The two frozen networks; they may have different patches."""

    clip: Backbone = Field(
        Backbone(model="backbones/demo_clip.json", weights="backbones/demo_clip.safetensors"),
        description="image and text encoder",
    )
    dino: Backbone = Field(
        Backbone(model="backbones/demo_dino.json", weights="backbones/demo_dino.safetensors"),
        description="self-supervised image encoder",
    )

    @field_validator("clip", "dino")
    @classmethod
    def _can_be_used(cls, backbone: Backbone, field: ValidationInfo) -> Backbone:
        try:
            kind = str(field.field_name)
            {"clip": clip_architecture, "dino": dino_architecture}[kind](backbone.model)
            if names_tag(backbone.weights):
                check_tag(kind, backbone.model, backbone.weights)
        except InputError as error:
            raise ValueError(str(error)) from None
        return backbone


class Pretraining(Section):
    """Stand-ins trained from scratch on the train images and their labels, without any mask."""

    side: int = Field(160, ge=32, description="images are stored as squares of this side")
    view: int = Field(96, ge=16, description="side of the training views, in pixels")
    smallest_window: Annotated[float, Field(gt=0, le=1)] = Field(
        0.4, description="side of the smallest view, as a share of the image's shorter side"
    )
    kept_patches: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="share of a view's patches that CLIP sees in a step"
    )
    centre_prior: float = Field(
        1.0,
        ge=0,
        description="how much guesses of what a patch shows trust that objects are central",
    )
    segments: int = Field(
        24, ge=2, le=254, description="superpixels per image that DINO learns to group"
    )
    batch_size: int = Field(32, ge=2, description="views per step")
    learning_rate: Positive = Field(1e-3, description="AdamW; Muon, on CLIP's blocks, takes twice")
    clip_steps: Count = Field(3000, description="optimiser steps of CLIP")
    dino_steps: Count = Field(1500, description="optimiser steps of DINO")
    checkpoint_every: Count = Field(100, description="steps between checkpoints")

    def of(self, network: str) -> str:
        """The settings that the training of clip or dino uses, as one JSON string."""
        return self.canonical(without=_OF_THE_OTHER[network])


_OF_THE_OTHER = {
    "clip": ("segments", "dino_steps"),
    "dino": ("kept_patches", "centre_prior", "clip_steps"),
}


class Text(Section):
    """Prompts of classes and backgrounds."""

    templates: tuple[str, ...] = Field(
        ("a clean origami {}.",), min_length=1, description="{} is the prompt; averaged"
    )
    prompts: dict[str, str] = Field({}, description="class: prompt, where it is not its name")
    backgrounds: tuple[str, ...] = Field(
        ("sky", "water", "grass", "sand", "road", "wall", "floor"),
        description="things that are no class but may be taken for one",
    )

    @property
    def offered_backgrounds(self) -> tuple[str, ...]:
        """The prompts of backgrounds; where none is named, those of CLIP-ES."""
        return self.backgrounds or DEFAULT_BACKGROUNDS

    def prompt(self, name: str) -> str:
        """The prompt of a class."""
        return self.prompts.get(name, name)

    @model_validator(mode="after")
    def _can_be_filled_and_differ(self) -> Self:
        found = []
        if wrong := [template for template in self.templates if "{}" not in template]:
            found.append(f"templates have {{}} for the prompt; came {wrong}")
        counts = Counter(name.casefold() for name in self.backgrounds)
        if twice := [name for name, count in counts.items() if count > 1]:
            found.append(f"backgrounds must differ from each other; came twice: {twice}")
        if found:
            raise ValueError("; ".join(found))
        return self


class Features(Section):
    """What is stored of the frozen networks."""

    clip_attention_blocks: Count = Field(4, description="last blocks in CLIP's mean attention")
    dino_attention_blocks: Count = Field(1, description="last blocks in DINO's mean attention")
    precision: Literal["float32", "float16"] = Field(
        "float32", description="of both networks: float32 | float16 (mixed precision, for a GPU)"
    )
    positions: Literal["bicubic", "bilinear"] = Field(
        "bicubic", description="CLIP's on another grid: bicubic | bilinear (CLIP-ES; as float16)"
    )
