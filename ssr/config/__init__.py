"""Every setting of the pipeline: its type, default (the demo), allowed range and what it does.

In: nested values as read from YAML.
Out: `Config`, checked, all findings at once; that of each method; and `config.yaml`, written from
these models, so that they are the one source of the defaults.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from ssr.config.architectures import clip_architecture, dino_architecture
from ssr.config.data import Data, Demo, Images, Splits
from ssr.config.networks import Backbone, Backbones, Features, Pretraining, Text
from ssr.config.section import Name, Section, unusable_texts
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
    Segmenter,
    Superpixels,
)

__all__ = [
    "DEFAULT_METHODS",
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
    "coverage",
    "settings",
]

DEFAULT_METHODS: dict[str, dict[str, Any]] = {
    "ssr": {},
    "clip": {"alignment": {"enabled": False}},
    "no_refinement": {"refinement": {"affinity": "none"}},
    "clip_attention": {"refinement": {"mask": "none", "clip_weight": 1.0, "dino_weight": 0.0}},
    "clip_dino_attention": {"refinement": {"mask": "none"}},
    "box_mask": {"refinement": {"mask": "box"}},
}


class Config(Section):
    """All settings."""

    dataset: Name = Field("demo", description="name of the run: its folder below results/")
    seed: int = Field(0, description="of K-means, CMPA and the segmenter")
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
        description="name: settings that differ; null drops a method",
    )
    segmenter_methods: tuple[Name, ...] = Field(
        ("ssr",), description="methods that go on to a segmenter"
    )

    @model_validator(mode="before")
    @classmethod
    def _texts_can_be_passed_on(cls, values: Any) -> Any:
        if found := list(unusable_texts(values)):
            raise ValueError("\n  ".join(found))
        return values

    @field_validator("methods", mode="before")
    @classmethod
    def _drop_and_order(cls, methods: Any) -> Any:
        """Leave out methods set to null: an overlay can't remove a key.

        The keys of an overlay come before those below it, so the order is made here: the first
        method is the main one, and owns what methods share.
        """
        if not isinstance(methods, dict):
            return methods
        names = [name for name in DEFAULT_METHODS if name in methods]
        names += [name for name in methods if name not in DEFAULT_METHODS]
        return {name: methods[name] for name in names if methods[name] is not None}

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if unknown := set(self.text.prompts) - set(self.data.classes):
            raise ValueError(f"text.prompts names {sorted(unknown)}, not among data.classes")
        if unknown := set(self.segmenter_methods) - set(self.methods):
            raise ValueError(
                f"segmenter_methods names {sorted(unknown)}, allowed: {list(self.methods)}"
            )
        return self

    @model_validator(mode="after")
    def _backbones_fit(self) -> Self:
        clip = clip_architecture(self.backbones.clip.model)
        dino = dino_architecture(self.backbones.dino.model)
        own = self.segmenter.config is None and bool(self.segmenter_methods)
        crop, last = self.segmenter.crop_size, max(self.segmenter.blocks or (0,))
        of_clip, of_dino = self.features.clip_attention_blocks, self.features.dino_attention_blocks
        rules = {
            f"images.patch: CLIP's is {clip.patch}; came {self.images.patch}": (
                self.images.patch == clip.patch
            ),
            f"features.clip_attention_blocks: CLIP has {clip.depth}; came {of_clip}": (
                of_clip <= clip.depth
            ),
            f"features.dino_attention_blocks: DINO has {dino.depth}; came {of_dino}": (
                of_dino <= dino.depth
            ),
            f"segmenter.crop_size: a multiple of CLIP's patch {clip.patch}; came {crop}": (
                not own or crop % clip.patch == 0
            ),
            f"segmenter.blocks: CLIP has 0 to {clip.depth - 1}; came {last}": (
                not own or last < clip.depth
            ),
        }
        if broken := [rule for rule, kept in rules.items() if not kept]:
            raise ValueError("\n  ".join(broken))
        return self

    @model_validator(mode="after")
    def _threshold_has_a_source(self) -> Self:
        if self.data.masks is None and self.labels.threshold is None:
            raise ValueError(
                "labels.threshold must be a number where data.masks is null: without masks none "
                "can be chosen; 0.5 is a start"
            )
        return self
