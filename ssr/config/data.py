"""Settings of the data set and of its images."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ssr.config.section import Colour, Count, FilePath, Fraction, Section
from ssr.demo.vocabulary import CLASSES


class Demo(Section):
    """The procedural data set."""

    train: Count = Field(400, description="images with image-level labels to learn from")
    tune: Count = Field(100, description="images whose masks choose the thresholds")
    val: Count = Field(200, description="images whose masks give the reported figures")
    seed: int = Field(2026, description="seed of the scenes; the backbones saw another one")
    correlation: Fraction = Field(1.0, description="share of scenes with their usual background")


class Splits(Section):
    """Which list of the data set plays which part."""

    train: str = Field(
        "train", description="list (voc, coco) or value of the split column (folder)"
    )
    tune: str | None = Field("tune", description="null: tune_images are set aside from train")
    val: str | None = Field("val", description="images of the reported figures; null: none")
    test: str | None = Field(None, description="images that are only predicted; null: none")


class Data(Section):
    """Images and their image-level labels."""

    format: Literal["demo", "folder", "voc", "coco"] = Field(
        "demo", description="demo | folder | voc | coco"
    )
    root: FilePath = Field("data/demo", description="folder of the data set")
    splits: Splits = Field(Splits(), description="which list plays which part")
    tune_images: int = Field(0, ge=0, description="set aside from train where splits.tune is null")
    labels_file: FilePath | None = Field(
        None, description="voc, coco: .json, .csv, .txt or .npy; null: from the annotations"
    )
    masks: FilePath | None = Field(
        "masks",
        description="folder of the masks, read by evaluation only; null, or no folder masks: none",
    )
    mask_colours: dict[str, Colour] = Field(
        {},
        description='class, background or ignore: "#rrggbb"; empty: pixels of masks are indices',
    )
    classes: tuple[str, ...] = Field(
        CLASSES,
        min_length=1,
        description="foreground classes in the order of their index, from 1",
    )
    shard_size: Count = Field(200, description="images per job and store")
    demo: Demo = Field(Demo(), description="what make_demo_dataset makes (format: demo)")

    @field_validator("splits")
    @classmethod
    def _folders_have_no_slash_behind_them(cls, splits: Splits, info: ValidationInfo) -> Splits:
        if info.data.get("format") != "coco":
            return splits
        named = splits.model_dump().items()
        return splits.model_copy(update={split: name and name.rstrip("/") for split, name in named})

    @model_validator(mode="after")
    def _names_and_colours_differ(self) -> Self:
        for what, values in (
            ("classes", self.classes),
            ("mask_colours", [colour.lower() for colour in self.mask_colours.values()]),
        ):
            if twice := [value for value, count in Counter(values).items() if count > 1]:
                raise ValueError(f"{what} must differ from each other; {twice[0]} came twice")
        if taken := {"background", "ignore"} & set(self.classes):
            raise ValueError(f"{taken.pop()} is no class: it has an index of its own")
        allowed = {*self.classes, "background", "ignore"}
        if unknown := sorted(set(self.mask_colours) - allowed):
            raise ValueError(f"mask_colours names {unknown}; allowed: classes, background, ignore")
        return self


class Images(Section):
    """How an image becomes a grid of patches."""

    patch: Count = Field(8, description="patch side of CLIP, in pixels")
    max_side: int | None = Field(None, ge=16, description="cap of the longest side; null: none")
