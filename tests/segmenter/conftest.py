"""A training set of eight tiny images and their pseudo-labels, and settings to match."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from torch import Tensor

from ssr.config import Backbone, Segmenter
from ssr.data.index import Image, Index
from ssr.data.pngs import PngWriter, open_pngs
from ssr.segmenter import training
from ssr.segmenter.dataset import SegmentationDataset, augmentation, learned_from
from ssr.segmenter.model import build, model_config
from ssr.segmenter.training import Place, train
from tests.backbone_models import tiny_clip

CLASSES = ["background", "cat", "dog"]
SIDE = 32


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight training images of class 1 or 2, one unlabelled, one of split val; labels.zip."""
    images = []
    with PngWriter(tmp_path / "labels.zip") as writer:
        for number in range(9):
            name = f"image{number}"
            generator = np.random.default_rng(number)
            pixels = generator.integers(0, 256, (SIDE, SIDE + number, 3), np.uint8)
            labels = np.zeros(pixels.shape[:2], np.uint8)
            labels[8:24, 8:24] = 1 + number % 2
            labels[:4] = 255
            pixels[labels == 1] //= 4  # something to learn: class 1 is dark, class 2 is bright
            pixels[labels == 2] |= 192
            Picture.fromarray(pixels).save(tmp_path / f"{name}.png")
            writer.add(name, labels)
            present = (1 + number % 2,) if number < 8 else ()
            images.append(_row(name, pixels.shape[1], "train", present))
    images.append(_row("unseen", SIDE, "val", (1,)))
    Index(tuple(images)).write(tmp_path / "index.parquet")
    return tmp_path


def _row(name: str, width: int, split: str, labels: tuple[int, ...]) -> Image:
    return Image(name, f"{name}.png", width, SIDE, split, labels, f"{split}_0000")


@pytest.fixture
def backbone(tmp_path: Path) -> Backbone:
    """A 3-block CLIP with random weights."""
    return tiny_clip(tmp_path)


@pytest.fixture
def settings() -> Segmenter:
    """Six iterations of two crops, a decoder of one block that knows no text."""
    return Segmenter(
        text=False,
        width=16,
        layers=1,
        heads=2,
        crop_size=SIDE,
        batch_size=2,
        iterations=6,
        warmup=2,
        checkpoint_every=2,
    )


@pytest.fixture
def fit(folder: Path, backbone: Backbone) -> Callable[..., dict[str, Tensor]]:
    """`fit(settings, work)` trains a new model and returns its state dict."""

    def run(settings: Segmenter, work: str, seed: int = 0, workers: int = 0) -> dict[str, Tensor]:
        labels = open_pngs([folder / "labels.zip"])
        dataset = SegmentationDataset(
            learned_from(Index.read(folder / "index.parquet").images, labels, "label"),
            folder,
            labels.read,
            augmentation(settings.crop_size, settings.scale_range),
            seed,
        )
        torch.manual_seed(seed)
        model = build(model_config(settings, backbone, len(CLASSES)))
        train(model, dataset, settings, seed, Place(folder / work, torch.device("cpu"), workers))
        return {name: value.clone() for name, value in model.state_dict().items()}

    return run


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], None]:
    """`interrupt(iteration, action)` calls `action` before that iteration, once."""

    def plan(iteration: int, action: Callable[[], None]) -> None:
        original = training.LearningRate.before_train_iter

        def before(self: Any, runner: Any, *arguments: Any, **options: Any) -> None:
            original(self, runner, *arguments, **options)
            if runner.iter == iteration:
                monkeypatch.undo()
                action()

        monkeypatch.setattr(training.LearningRate, "before_train_iter", before)

    return plan


TINY_MODEL = """
data_preprocessor = dict(
    type="SegDataPreProcessor", mean=[0.0] * 3, std=[255.0] * 3, bgr_to_rgb=True, size=(64, 64))
norm_cfg = dict(type="SyncBN", requires_grad=True)
head = dict(
    type="FCNHead", in_channels=8, channels=8, num_convs=1, num_classes=19, norm_cfg=norm_cfg,
    loss_decode=dict(type="CrossEntropyLoss", class_weight=[1.0] * 19))
model = dict(
    type="EncoderDecoder",
    data_preprocessor=data_preprocessor,
    pretrained="nowhere/weights.pth",
    backbone=dict(
        type="MixVisionTransformer", embed_dims=8, num_stages=2, num_layers=[1, 1],
        num_heads=[1, 1], patch_sizes=[7, 3], strides=[4, 2], sr_ratios=[2, 1],
        out_indices=(0, 1), mlp_ratio=2,
        init_cfg=dict(type="Pretrained", checkpoint="nowhere/backbone.pth")),
    decode_head=head,
    auxiliary_head=[dict(head, in_index=0)],
    test_cfg=dict(mode="slide", crop_size=(64, 64), stride=(32, 32)))
"""


@pytest.fixture
def library_config(tmp_path: Path) -> str:
    """The path of an mmsegmentation config for 19 classes, two heads and absent weights."""
    path = tmp_path / "tiny.py"
    path.write_text(TINY_MODEL)
    return str(path)
