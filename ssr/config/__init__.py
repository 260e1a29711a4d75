"""Every setting of the pipeline: its type, default (the demo), allowed range and what it does.

In: nested values as read from YAML.
Out: `Config`, checked, all findings at once; that of each method; and `config.yaml`, written from
these models, so that they are the one source of the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ssr.config.ablations import DEFAULT_METHODS, FULLY_SUPERVISED, Ablation, with_ablations
from ssr.config.data import Data, Demo, Images, Splits
from ssr.config.feedback import DEFAULT_SEGMENTERS, with_feedback
from ssr.config.foreign import OWN_METHODS, Foreign, with_foreign
from ssr.config.networks import (
    DEFAULT_BACKGROUNDS,
    Backbone,
    Backbones,
    Features,
    Pretraining,
    Text,
)
from ssr.config.section import NULL, Name, Rounds, Section, Seeds
from ssr.config.seeds import own_seeds, row_name, with_seeds
from ssr.config.segmenter import MMSEG, Segmenter
from ssr.config.stages import (
    AlignedCams,
    Alignment,
    Cams,
    Crf,
    Evaluation,
    Labels,
    Prediction,
    Prototypes,
    Refinement,
    Report,
    Superpixels,
)

__all__ = [
    "DEFAULT_BACKGROUNDS",
    "DEFAULT_METHODS",
    "FULLY_SUPERVISED",
    "MMSEG",
    "AlignedCams",
    "Alignment",
    "Backbone",
    "Backbones",
    "Cams",
    "Config",
    "Crf",
    "Data",
    "Demo",
    "Evaluation",
    "Features",
    "Foreign",
    "Images",
    "Labels",
    "Prediction",
    "Pretraining",
    "Prototypes",
    "Refinement",
    "Report",
    "Section",
    "Segmenter",
    "Splits",
    "Superpixels",
    "Text",
    "architectures",
    "consistency",
    "coverage",
    "duplicates",
    "methods",
    "settings",
    "shards",
]


class Config(Section):
    """All settings."""

    dataset: Name = Field("demo", description="name of the run: its folder below results/")
    seeds: Seeds = Field(
        (0,), description="of CMPA and the segmenter, one run with each; all else takes the first"
    )
    data: Data = Field(Data(), description="images and image-level labels")
    images: Images = Field(Images(), description="how an image becomes patches")
    backbones: Backbones = Field(Backbones(), description="frozen networks")
    pretraining: Pretraining = Field(
        Pretraining(), description="of backbones with weights: train; otherwise unused"
    )
    text: Text = Field(Text(), description="prompts")
    features: Features = Field(Features(), description="what is stored of the networks")
    superpixels: Superpixels = Field(Superpixels(), description="SLIC and colour regions")
    cams: Cams = Field(Cams(), description="class activation maps of CLIP")
    prototypes: Prototypes = Field(Prototypes(), description="K-means")
    alignment: Alignment = Field(Alignment(), description="CMPA")
    aligned_cams: AlignedCams = Field(AlignedCams(), description="CAMs after CMPA")
    refinement: Refinement = Field(Refinement(), description="SGC")
    labels: Labels = Field(Labels(), description="pseudo-labels")
    segmenter: Segmenter = Field(Segmenter(), description="training of the segmenter")
    prediction: Prediction = Field(Prediction(), description="test-time settings")
    crf: Crf = Field(Crf(), description="dense CRF on the predictions")
    evaluation: Evaluation = Field(Evaluation(), description="reported splits")
    report: Report = Field(Report(), description="page of pictures")
    methods: dict[Name, dict[str, Any]] = Field(
        DEFAULT_METHODS,
        validate_default=True,
        description="name: settings that differ, from images to crf; null drops a method",
    )
    ablations: tuple[Ablation, ...] = Field(
        (), description="rows added to the methods: table_3 | table_4 | table_6 | readings"
    )
    foreign: dict[Name, Foreign] = Field(
        {},
        description="name: {path, format} of another system's CAMs or predictions, a method each; "
        "docs/foreign_cams.md",
    )
    segmenter_methods: tuple[Name, ...] = Field(
        DEFAULT_SEGMENTERS, validate_default=True, description="methods that go on to a segmenter"
    )
    feedback: Rounds = Field(
        0,
        description="rounds of those, a row each: what a segmenter says becomes the CAMs of "
        "NAME_round1, what that says those of NAME_round2; docs/feedback.md",
    )

    @property
    def seed(self) -> int:
        """The first seed; of a method, the one with which it learns."""
        return self.seeds[0]

    @property
    def learns_from_masks(self) -> bool:
        """Whether the segmenter learns from the masks of train, and there are no CAMs."""
        return self.labels.source == "masks"

    @property
    def aligns_patches(self) -> bool:
        """Whether CMPA learns from the patches of images, not from vectors pooled before."""
        return self.alignment.looks_at_images or self.pools_behind

    @property
    def pools_behind(self) -> bool:
        """Whether samples are pooled behind what is trained: ISA, or CLIP's last block."""
        tunes = self.alignment.trains == "last_block" and not self.alignment.looks_at_images
        return tunes or self.prototypes.pooling == "after"

    @model_validator(mode="before")
    @classmethod
    def _add_rows(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        return with_feedback(with_foreign(with_ablations(values)))

    @field_validator("methods", mode="before")
    @classmethod
    def _drop_order_and_seed(cls, methods: Any, info: ValidationInfo) -> Any:
        """Leave out methods set to null: an overlay can't remove a key; add the rows of seeds.

        The keys of an overlay come before those below it, so the order is made here: the first
        method is the main one, and owns what methods share.
        """
        if not isinstance(methods, dict):
            return methods
        names = [name for name in DEFAULT_METHODS if name in methods]
        names += [name for name in methods if name not in DEFAULT_METHODS]
        if not (
            kept := {name: methods[name] for name in names if methods[name] not in (None, NULL)}
        ):
            raise ValueError("all are null; at least one is needed, such as ssr: {}")
        return with_seeds(kept, info.data.get("seeds", (0,)))

    @field_validator("foreign")
    @classmethod
    def _have_names_of_their_own(cls, foreign: dict[str, Foreign]) -> dict[str, Foreign]:
        if taken := sorted(OWN_METHODS & {*foreign}):
            raise ValueError(f"{', '.join(taken)}: a method of ours has this name; choose another")
        return foreign

    @field_validator("segmenter_methods")
    @classmethod
    def _seed_segmenters(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Every row of a method that goes on to a segmenter goes on.

        What learns from masks has nothing but a segmenter.
        """
        methods, seeds = info.data.get("methods", {}), info.data.get("seeds", (0,))
        names = (*names, *(name for name in methods if name == FULLY_SUPERVISED))
        own = {name: own_seeds(methods[name], seeds) for name in names if name in methods}
        rows = [row_name(name, each, seed) for name, each in own.items() for seed in each]
        return tuple(dict.fromkeys([*names, *rows]))
