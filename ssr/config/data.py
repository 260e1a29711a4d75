"""Settings of the data set and of its images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from ssr.config.section import Colour, Count, FilePath, Fraction, Section, Seed
from ssr.demo.vocabulary import CLASSES
from ssr.labels import BACKGROUND, IGNORE

# Names of what has an index of its own in label maps.
RESERVED = ("background", "ignore")
MOST_CLASSES = IGNORE - BACKGROUND - 1
AUTO: Literal["auto"] = "auto"
FEWEST_PER_SHARD, MOST_SHARDS = 200, 2000
"""What a shard holds and how many there are at most, where `shard_size` is auto."""


def _auto_or_count(size: object) -> object:
    if size == AUTO or (str(size).isdecimal() and int(str(size)) > 0):
        return size
    raise ValueError(f"auto, or how many images from 1; came {size!r}")


class Demo(Section):
    """The procedural data set."""

    train: Count = Field(400, description="images with image-level labels to learn from")
    tune: Count = Field(100, description="images whose masks choose the thresholds")
    val: Count = Field(200, description="images whose masks give the reported figures")
    seed: Seed = Field(2026, description="seed of the scenes; the backbones saw another one")
    correlation: Fraction = Field(1.0, description="share of scenes with their usual background")


class Splits(Section):
    """Which list of the data set plays which part."""

    train: str = Field(
        "train",
        description="list, or path of a .txt below root (voc, coco); or value of the split column "
        "(folder)",
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
        description="folder of the masks, read by evaluation, and to train fully_supervised; null, "
        "or no folder masks: none",
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
    shard_size: Annotated[Literal["auto"] | int, BeforeValidator(_auto_or_count)] = Field(
        AUTO,
        description=f"images per job and store; auto: {FEWEST_PER_SHARD}, doubled as long as there "
        f"are more than {MOST_SHARDS} shards",
    )
    demo: Demo = Field(Demo(), description="what make_demo_dataset makes (format: demo)")

    @field_validator("splits")
    @classmethod
    def _folders_have_no_slash_behind_them(cls, splits: Splits, info: ValidationInfo) -> Splits:
        if info.data.get("format") != "coco":
            return splits
        named = splits.model_dump().items()
        return splits.model_copy(update={split: name and name.rstrip("/") for split, name in named})

    @model_validator(mode="after")
    def _names_and_colours_fit(self) -> Self:
        if found := [*_classes_that_mislead(self.classes), *self._unusable_colours()]:
            raise ValueError("; ".join(found))
        return self

    def _unusable_colours(self) -> Iterator[str]:
        colours = Counter(colour.lower() for colour in self.mask_colours.values())
        if twice := [colour for colour, count in colours.items() if count > 1]:
            yield f"mask_colours must differ from each other; came twice: {twice}"
        if unknown := sorted(set(self.mask_colours) - {*self.classes, *RESERVED}):
            yield f"mask_colours names {unknown}; allowed: classes, background, ignore"


def _classes_that_mislead(classes: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with names of classes; that a text is one at all is judged elsewhere."""
    if len(classes) > MOST_CLASSES:
        yield (
            f"at most {MOST_CLASSES} classes, as the pixels of label maps are bytes, "
            f"{BACKGROUND} is the background and {IGNORE} is ignored; came {len(classes)}"
        )
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(name.casefold(), []).append(name)
    if same := [names for names in alike.values() if len(names) > 1]:
        yield f"classes must differ from each other by more than case; came {same}"
    if taken := [name for name in classes if name.casefold() in RESERVED]:
        yield f"{taken} are no classes: background and ignore have indices of their own"
    if parted := [name for name in classes if ";" in name]:
        yield f"classes have no semicolon, which parts the labels of an image; came {parted}"


class Images(Section):
    """How an image becomes a grid of patches."""

    patch: Count = Field(8, description="patch side of CLIP, in pixels")
    max_side: int | None = Field(None, ge=16, description="cap of the longest side; null: none")
