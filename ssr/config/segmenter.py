"""Settings of the segmenter's training."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ssr.config.section import Count, FilePath, Fraction, Positive, Section


def _named_or_listed(blocks: object) -> object:
    """Say once what is allowed; a union would say it for each of its members."""
    if blocks in ("all", "all_but_last"):
        return blocks
    if isinstance(blocks, list | tuple) and blocks:
        # In a list of `--config`, Snakemake leaves numbers as text.
        numbers = {str(each) for each in blocks if str(each).isdecimal()}
        if len(numbers) == len(blocks):
            return blocks
    raise ValueError(f"all | all_but_last | a list of blocks from 0, each once; came {blocks!r}")


Blocks = Annotated[
    Literal["all", "all_but_last"] | tuple[int, ...], BeforeValidator(_named_or_listed)
]

MMSEG = "mmseg::"  # before the name of one of mmsegmentation's own configs


class Segmenter(Section):
    """Training of the segmenter."""

    config: FilePath | None = Field(
        None, description="mmsegmentation config, path or mmseg::name; null: CLIP and a decoder"
    )
    blocks: Blocks = Field(
        "all", description="CLIP blocks that are decoded: all | all_but_last | a list, from 0"
    )
    text: bool = Field(
        True, description="true: the decoder adds to what CLIP's texts say of each patch"
    )
    width: Count = Field(128, description="channels of the decoder")
    layers: Count = Field(1, description="transformer blocks of the decoder")
    heads: Count = Field(8, description="attention heads of each; must divide width")
    dropout: Fraction = Field(0.1, description="share of the decoder's channels")
    loss: Literal["cross_entropy", "foreground_background"] = Field(
        "cross_entropy",
        description="cross_entropy | foreground_background (WeCLIP: mean of the two parts)",
    )
    crop_size: Count = Field(112, description="side of the training crops, in pixels")
    scale_range: tuple[Positive, Positive] = Field(
        (0.5, 2.0), description="random scale of the training images"
    )
    batch_size: Count = Field(8, description="crops per iteration")
    micro_batch: Count | None = Field(
        None, description="crops in the network at once; must divide batch_size; null: all of them"
    )
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
    joint: bool = Field(
        False,
        description="true: CMPA and the segmenter in one loop, on labels made as it goes (Eq. 12); "
        "docs/feedback.md",
    )
    gamma: Positive = Field(0.1, description="weight of the segmenter's loss, where joint")

    @property
    def reads_text(self) -> bool:
        """Whether the texts of classes and backgrounds are part of the model."""
        return self.config is None and self.text

    @property
    def micro_batches(self) -> int:
        """In an iteration; they can be shared out over so many processes."""
        return self.batch_size // (self.micro_batch or self.batch_size)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.micro_batch and self.batch_size % self.micro_batch:
            raise ValueError(
                f"micro_batch must divide batch_size {self.batch_size}; came {self.micro_batch}"
            )
        if self.width % self.heads:
            raise ValueError(f"heads must divide width {self.width}; came {self.heads}")
        if self.scale_range[0] > self.scale_range[1]:
            raise ValueError(f"scale_range goes from low to high; came {self.scale_range}")
        if self.warmup >= self.iterations:
            raise ValueError(f"warmup must end before {self.iterations} iterations")
        return self

    @property
    def config_file(self) -> str | None:
        """The file that `config` names, unless it is one of mmsegmentation's own configs."""
        return None if self.config is None or self.config.startswith(MMSEG) else self.config
