"""Every setting of the pipeline: its type, default (the demo), allowed range and what it does.

`config.yaml` is written from these models, so they are the one source of the defaults.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ssr.architectures import (
    check_tag,
    clip_architecture,
    dino_architecture,
    names_file,
    names_tag,
)
from ssr.errors import InputError

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
# Names become folder and file names below results/.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]
Split = Literal["train", "tune", "val"]


class Section(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def canonical(self, without: Iterable[str] = ()) -> str:
        """One JSON string, equal for equal settings: what a rule passes to its program."""
        return json.dumps(self.model_dump(exclude=set(without)), sort_keys=True)


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
    root: str = Field("data/demo", description="folder of the data set")
    splits: Splits = Field(Splits(), description="which list plays which part")
    tune_images: int = Field(0, ge=0, description="set aside from train where splits.tune is null")
    labels_file: str | None = Field(
        None, description="voc, coco: .json, .csv, .txt or .npy; null: from the annotations"
    )
    masks: str | None = Field(
        "masks", description="folder of the masks, read by evaluation rules only; null: none"
    )
    mask_colours: dict[str, Colour] = Field(
        {},
        description='class, background or ignore: "#rrggbb"; empty: pixels of masks are indices',
    )
    classes: tuple[str, ...] = Field(
        (
            "aeroplane",
            "bird",
            "boat",
            "bottle",
            "bus",
            "car",
            "chair",
            "cow",
            "horse",
            "sofa",
        ),
        min_length=1,
        description="foreground classes in the order of their index, from 1",
    )
    shard_size: Count = Field(200, description="images per job and store")
    demo: Demo = Field(Demo(), description="what make_demo_dataset makes (format: demo)")

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


class Backbone(Section):
    """A frozen network and its weights."""

    model: str = Field(description="open_clip or timm name, or a model JSON")
    weights: str = Field(description="random, train, a pretrained tag, or a local file")
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


class Features(Section):
    """What is stored of the frozen networks."""

    clip_attention_blocks: Count = Field(4, description="last blocks in CLIP's mean attention")
    dino_attention_blocks: Count = Field(1, description="last blocks in DINO's mean attention")


class Superpixels(Section):
    """SLIC and the clusters of its mean colours (Eq. 8)."""

    segments: Count = Field(100, description="superpixels per image")
    compactness: Positive = Field(10.0, description="weight of position against colour")
    colour_regions: Count = Field(40, description="clusters of mean colours per image")


class Cams(Section):
    """Class activation maps of CLIP as it is."""

    score: Literal["gradient", "similarity"] = Field(
        "similarity", description="gradient (softmax Grad-CAM) | similarity (patch-text map)"
    )


class AlignedCams(Cams):
    """Class activation maps in the aligned space."""

    background: Literal["aligned", "clip"] = Field(
        "aligned", description="what tells classes from backgrounds: aligned | clip"
    )


class Prototypes(Section):
    """K-means over pooled features."""

    clusters: int | None = Field(None, ge=2, description="null: one per foreground class")
    background_below: Fraction = Field(
        0.3, description="where all CAMs are lower, an image is pooled as background"
    )


class Alignment(Section):
    """Cross-Modal Prototype Alignment (Eq. 3-6)."""

    enabled: bool = Field(True, description="false: the initial CAMs are refined")
    loss: Literal["cross_modal", "in_modal", "feature"] = Field(
        "cross_modal", description="cross_modal | in_modal | feature (Table 4)"
    )
    backgrounds: bool = Field(
        True, description="learn from background samples, too; false: from classes alone"
    )
    layers: int = Field(2, ge=0, description="Linear + BatchNorm + ReLU blocks of a head")
    width: Count = Field(128, description="of those blocks; of the aligned space if not residual")
    residual: bool = Field(True, description="heads add to CLIP's features and start at zero")
    temperature: Positive = Field(0.05, description="tau at the start; it is learned")
    rounds: Count = Field(3, description="prototypes are renewed at the start of each")
    iterations: Count = Field(50, description="per round")
    batch_size: int = Field(128, ge=2, description="samples per iteration")
    learning_rate: Positive = Field(1e-5, description="AdamW")
    weight_decay: float = Field(2e-3, ge=0, description="AdamW")


class Refinement(Section):
    """Superpixel-Guided Correction (Eq. 7-11)."""

    affinity: Literal["none", "attention"] = Field("attention", description="none: CAM as it is")
    clip_weight: Fraction = Field(0.4, description="share of CLIP's attention (Eq. 9)")
    dino_weight: Fraction = Field(0.6, description="share of DINO's attention (Eq. 9)")
    sinkhorn_rounds: int = Field(3, ge=0, description="column and row normalisations")
    power: Count = Field(1, description="power of the affinity matrix")
    mask: Literal["superpixel", "box", "box+superpixel", "none"] = Field(
        "superpixel", description="superpixel | box | box+superpixel | none"
    )
    high_confidence: Fraction = Field(0.7, description="share of the CAM's maximum")
    region_threshold: Fraction = Field(0.3, description="confident share that makes a target")
    patch_coverage: Fraction = Field(0.25, description="target share that turns a patch on")
    box_threshold: Fraction = Field(0.4, description="boxes surround CAM above this share")


class Crf(Section):
    """Dense conditional random field."""

    iterations: Count = Field(10, description="mean-field steps")
    gaussian_sxy: Positive = Field(1.0, description="position, smoothness term")
    gaussian_compat: Positive = Field(3.0, description="weight of the smoothness term")
    bilateral_sxy: Positive = Field(67.0, description="position, appearance term")
    bilateral_srgb: Positive = Field(3.0, description="colour, appearance term")
    bilateral_compat: Positive = Field(4.0, description="weight of the appearance term")


class Labels(Section):
    """From refined CAM to pseudo-label."""

    background: Literal["constant", "power"] = Field(
        "constant", description="score: constant | power (1 - max)^alpha; same tuned threshold"
    )
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="background score; null: chosen on tune, by its masks"
    )
    crf: Crf | None = Field(None, description="null: no CRF on the pseudo-labels")
    confidence: Fraction = Field(0.95, description="CRF winners below this become 255 (ignore)")


class Segmenter(Section):
    """Training of the segmenter."""

    config: str | None = Field(
        None, description="mmsegmentation config, path or mmseg::name; null: CLIP and a decoder"
    )
    blocks: tuple[int, ...] | None = Field(
        None, description="CLIP blocks that are decoded, from 0; null: all but the last"
    )
    width: Count = Field(128, description="channels of the decoder")
    layers: Count = Field(3, description="transformer blocks of the decoder")
    heads: Count = Field(8, description="attention heads of each; must divide width")
    dropout: Fraction = Field(0.1, description="share of the decoder's channels")
    crop_size: Count = Field(112, description="side of the training crops, in pixels")
    scale_range: tuple[Positive, Positive] = Field(
        (0.5, 2.0), description="random scale of the training images"
    )
    batch_size: Count = Field(8, description="crops per iteration")
    iterations: Count = Field(800, description="optimiser steps")
    learning_rate: Positive = Field(2e-4, description="AdamW")
    decoder_multiplier: Positive = Field(10.0, description="of the learning rate, on the decoder")
    weight_decay: float = Field(0.01, ge=0, description="AdamW")
    warmup: int = Field(50, ge=0, description="iterations of linear warm-up")
    power: Positive = Field(1.0, description="of the polynomial decay behind the warm-up")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="float32 | bfloat16 (mixed precision)"
    )
    checkpoint_every: Count = Field(100, description="iterations between checkpoints")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads must divide width {self.width}; came {self.heads}")
        if self.scale_range[0] > self.scale_range[1]:
            raise ValueError(f"scale_range goes from low to high; came {self.scale_range}")
        if self.warmup >= self.iterations:
            raise ValueError(f"warmup must end before {self.iterations} iterations")
        return self


class Prediction(Section):
    """Test-time settings of the segmenter."""

    max_side: int | None = Field(None, ge=16, description="cap of the longest side; null: none")
    stride: Count = Field(8, description="pixels per logit; an image is resized to whole strides")
    scales: tuple[Positive, ...] = Field((1.0, 1.5), min_length=1, description="logits averaged")
    flip: bool = Field(True, description="average with the mirrored image")


class Evaluation(Section):
    """Which images give the reported figures."""

    cam_split: Split = Field("val", description="split of the CAM and pseudo-label figures")
    cam_list: str | None = Field(
        None, description="list (voc) or file of ids below root: those of cam_split; null: all"
    )
    prediction_split: Split = Field("val", description="split of the segmenter's figures")


class Report(Section):
    """The page of pictures."""

    images: Count = Field(8, description="images shown with all their stages")


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
