"""Settings of the stages behind the features, in the order of the data."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ssr.config.section import Count, FilePath, Fraction, Positive, Section, Split

# Stored as integers of 16 bits; SLIC may cut twice as many as it is asked for.
MOST_SUPERPIXELS = 2**15 - 1


class Superpixels(Section):
    """SLIC and the clusters of its mean colours (Eq. 8)."""

    segments: int = Field(100, ge=1, le=MOST_SUPERPIXELS, description="superpixels per image")
    compactness: Positive = Field(10.0, description="weight of position against colour")
    colour_regions: Count = Field(40, description="clusters of mean colours per image")


class Activation(Section):
    """How a score becomes class activation maps."""

    score: Literal["gradient", "similarity"] = Field(
        "similarity", description="gradient (softmax Grad-CAM) | similarity (patch-text map)"
    )
    gradient: Literal["cosine", "product"] = Field(
        "product", description="of Grad-CAM: cosine | product (lengths of features held constant)"
    )


class Cams(Activation):
    """Class activation maps of CLIP as it is, of another system, or of a segmenter."""

    foreign: str | None = Field(
        None, description="name of another system, among foreign, whose CAMs stand in for CLIP's"
    )
    segmenter: str | None = Field(
        None, description="method whose segmenter's probabilities stand in for them; feedback"
    )


class AlignedCams(Activation):
    """Class activation maps in the aligned space."""

    background: Literal["aligned", "clip"] = Field(
        "aligned", description="what tells classes from backgrounds: aligned | clip"
    )


class Prototypes(Section):
    """Samples of classes and backgrounds, and K-means over them."""

    clusters: int | None = Field(None, ge=2, description="null: one per foreground class")
    sample: Literal["pooled", "image", "both"] = Field(
        "pooled", description="of a class: pooled under its CAM | image (mean patch) | both"
    )
    pooling: Literal["before", "after"] = Field(
        "before",
        description="under the CAM: before ISA | after ISA, of every patch; last_block: after",
    )
    unit_patches: bool = Field(
        False,
        description="true: pooled before ISA at unit length, as always after; false: as they are",
    )
    background_below: Fraction = Field(
        0.3, description="where all CAMs are lower, an image is pooled as background"
    )

    @property
    def pools_unit_patches(self) -> bool:
        """Whether patches are pooled at unit length, which ISA makes them anyway."""
        return self.unit_patches or self.pooling == "after"


class Alignment(Section):
    """Cross-Modal Prototype Alignment (Eq. 3-6)."""

    enabled: bool = Field(True, description="false: the initial CAMs are refined")
    trains: Literal["heads", "last_block"] = Field(
        "heads", description="heads | last_block (CLIP's, with its projection; texts stay)"
    )
    loss: Literal["cross_modal", "in_modal", "feature", "image_labels"] = Field(
        "cross_modal",
        description="cross_modal | in_modal | feature (Table 4) | image_labels (ours; of patches)",
    )
    backgrounds: bool = Field(
        True, description="learn from background samples, too; false: from classes alone"
    )
    layers: int = Field(2, ge=0, description="Linear + BatchNorm + ReLU blocks of a head")
    width: Count = Field(128, description="of those blocks; of the aligned space if not residual")
    residual: bool = Field(True, description="heads add to CLIP's features and start at zero")
    temperature: Positive = Field(0.05, description="tau of the loss at the start; it is learned")
    rounds: Count = Field(3, description="prototypes are renewed at the start of each")
    iterations: Count = Field(50, description="per round")
    stop: Literal["last", "tune"] = Field(
        "tune", description="which heads are used: tune (best CAMs there; no masks: last) | last"
    )
    looks: Count = Field(
        4,
        description="per round, where stop is tune; at most one an iteration, the start apart",
    )
    batch_size: int = Field(
        128, ge=2, description="samples per iteration; images, where loss is image_labels"
    )
    learning_rate: Positive = Field(1e-5, description="AdamW")
    weight_decay: float = Field(2e-3, ge=0, description="AdamW")

    @property
    def looks_at_images(self) -> bool:
        """Whether the loss takes the patches of images instead of pooled samples."""
        return self.loss == "image_labels"


class Refinement(Section):
    """Superpixel-Guided Correction (Eq. 7-11)."""

    affinity: Literal["none", "attention"] = Field("attention", description="none: CAM as it is")
    clip_weight: Fraction = Field(0.4, description="share of CLIP's attention (Eq. 9)")
    dino_weight: Fraction = Field(0.6, description="share of DINO's attention (Eq. 9)")
    sinkhorn_rounds: int = Field(3, ge=0, description="column and row normalisations")
    normalised: Literal["fused", "each"] = Field(
        "fused", description="what the rounds normalise: fused | each, before they are fused"
    )
    power: Count = Field(1, description="power of the affinity matrix")
    mask: Literal["superpixel", "box", "box+superpixel", "none"] = Field(
        "superpixel", description="superpixel | box | box+superpixel | none"
    )
    high_confidence: Fraction = Field(0.7, description="share of the CAM's maximum")
    region_threshold: Fraction = Field(0.3, description="confident share that makes a target")
    patch_coverage: Fraction = Field(0.25, description="target share that turns a patch on")
    box_threshold: Fraction = Field(0.4, description="boxes surround CAM above this share")
    box_border: bool = Field(
        True, description="false: boxes leave out the last row and column of patches (CLIP-ES)"
    )


class Crf(Section):
    """Dense conditional random field."""

    iterations: Count = Field(10, description="mean-field steps")
    gaussian_sxy: Positive = Field(1.0, description="position, smoothness term")
    gaussian_compat: Positive = Field(3.0, description="weight of the smoothness term")
    bilateral_sxy: Positive = Field(67.0, description="position, appearance term")
    bilateral_srgb: Positive = Field(3.0, description="colour, appearance term")
    bilateral_compat: Positive = Field(4.0, description="weight of the appearance term")
    wrapped: bool = Field(
        False, description="true: colours less their mean, wrapped around in 8 bits (CLIP-ES)"
    )


class Labels(Section):
    """From refined CAM to pseudo-label."""

    source: Literal["cams", "masks"] = Field(
        "cams", description="cams | masks (of train; for the method fully_supervised alone)"
    )
    background: Literal["constant", "power"] = Field(
        "constant", description="score: constant | power (1 - max)^alpha; same tuned threshold"
    )
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="background score; null: chosen on tune, by its masks"
    )
    crf: Crf | None = Field(None, description="null: no CRF on the pseudo-labels")
    confidence: Fraction = Field(0.95, description="CRF winners below this become 255 (ignore)")


class Prediction(Section):
    """Test-time settings of the segmenter."""

    max_side: int | None = Field(None, ge=16, description="cap of the longest side; null: none")
    stride: Count = Field(4, description="pixels per logit; an image is resized to whole strides")
    scales: tuple[Positive, ...] = Field((1.0, 1.5), min_length=1, description="logits averaged")
    flip: bool = Field(True, description="average with the mirrored image")
    foreign: str | None = Field(
        None, description="name of another system, among foreign, whose predictions stand in"
    )


class Evaluation(Section):
    """Which images give the reported figures."""

    cam_split: Split = Field("val", description="split of the CAM and pseudo-label figures")
    cam_list: FilePath | None = Field(
        None, description="list (voc) or file of ids below root: those of cam_split; null: all"
    )
    prediction_split: Split = Field("val", description="split of the segmenter's figures")
    protocol: Literal["held_out", "published"] = Field(
        "held_out",
        description="held_out | published (CAMs at the best threshold of cam_split itself, as "
        "peers print; tune may be reported on; marked)",
    )

    @model_validator(mode="after")
    def _holds_out(self) -> Self:
        reported = {"cam_split": self.cam_split, "prediction_split": self.prediction_split}
        seen = [name for name, split in reported.items() if split == "tune"]
        if seen and self.protocol == "held_out":
            raise ValueError(
                f"{' and '.join(seen)} must not be tune, whose masks choose thresholds and heads: "
                "report on train or val, or say protocol: published"
            )
        return self


class Report(Section):
    """The page of pictures."""

    images: Count = Field(8, description="images shown with all their stages")
