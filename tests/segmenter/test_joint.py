"""Joint training: the objective, labels that follow the heads, and the same bits when resumed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ssr.alignment.heads import HeadOptions, new_heads
from ssr.alignment.online import OnlineAlignment
from ssr.alignment.prototypes import make_prototypes
from ssr.alignment.samples import Samples
from ssr.artefacts.store import ShardWriter, open_shards
from ssr.backbones.last_block import load_last_block
from ssr.backbones.text import TextEmbeddings
from ssr.cams.activation import ImageScores
from ssr.config import Alignment, Backbone, Labels, Refinement, Segmenter
from ssr.data.index import Index
from ssr.segmenter.dataset import SegmentationDataset, augmentation, learned_from
from ssr.segmenter.joint import JointOptimiser, OnlineLabels
from ssr.segmenter.model import build, model_config
from ssr.segmenter.optimisation import make_optimiser
from ssr.segmenter.training import Place, train
from tests.segmenter.conftest import CLASSES, SIDE

DIMENSION, GRID, PATCH = 24, 4, 8  # of tests.backbone_models.tiny_clip
CPU = torch.device("cpu")
RANDOM = np.random.default_rng(0)
ALIGNING = Alignment(iterations=2, batch_size=8, learning_rate=1e-2, width=8)
TEXTS = np.linalg.qr(RANDOM.standard_normal((DIMENSION, DIMENSION)))[0][:4].astype(np.float32)
STORED = TextEmbeddings(TEXTS[:2], TEXTS[2:], np.array(["cat", "dog", "sky", "sea"]), np.float32(9))


def alignment() -> OnlineAlignment:
    """CMPA of two classes and two backgrounds, at its start."""
    labels = np.arange(20) % 4
    random = np.random.default_rng(1)
    scattered = TEXTS[labels] + 0.1 * random.standard_normal((20, DIMENSION)).astype(np.float32)
    samples = Samples(np.array([f"{number}" for number in range(20)]), labels, scattered)
    heads = new_heads(
        HeadOptions(DIMENSION, layers=1, width=8), samples.entering(0), torch.from_numpy(TEXTS), 0
    )
    prototypes = make_prototypes(heads, samples, TEXTS, 2, 2, seed=0)
    return OnlineAlignment(heads, samples, prototypes, ALIGNING, seed=0)


@pytest.fixture
def labels_by(folder: Path, backbone: Backbone) -> Callable[[OnlineAlignment], OnlineLabels]:
    """`labels_by(alignment)`: online labels of the training images, by its heads."""
    index = Index.read(folder / "index.parquet")
    images = {image.id: image for image in index.split("train") if image.labels}
    with (
        ShardWriter(folder / "features.zarr.zip") as features,
        ShardWriter(folder / "superpixels.zarr.zip") as superpixels,
    ):
        for image in images.values():
            grid = np.array([GRID, -(-image.width // PATCH)], np.int32)
            count, (rows, columns) = int(grid.prod()), grid * PATCH
            attention = RANDOM.random((2, count, count)).astype(np.float16)
            tokens = RANDOM.standard_normal((count + 1, 32)).astype(np.float16)
            arrays = {"tokens": tokens, "clip_attention": attention[0]}
            features.add(image.id, {**arrays, "dino_attention": attention[1], "grid": grid})
            cells = np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns) // 64
            regions = np.arange(cells.max() + 1, dtype=np.uint16) % 5
            superpixels.add(image.id, {"labels": cells, "regions": regions})

    def labels(aligned: OnlineAlignment) -> OnlineLabels:
        return OnlineLabels(
            images=images,
            root=folder,
            features=open_shards([folder / "features.zarr.zip"]),
            superpixels=open_shards([folder / "superpixels.zarr.zip"]),
            clip=load_last_block(backbone, "cpu"),
            device=CPU,
            score="similarity",
            scores=ImageScores(STORED, CPU, aligned.heads),
            refinement=Refinement(),
            labels=Labels(),
            threshold=0.5,
        )

    return labels


@pytest.fixture
def joint(settings: Segmenter) -> Segmenter:
    """The settings of a joint training."""
    return settings.model_copy(update={"text": True, "joint": True, "dropout": 0.0})


def model_of(aligned: OnlineAlignment, joint: Segmenter, backbone: Backbone) -> nn.Module:
    torch.manual_seed(0)
    config = model_config(joint, backbone, len(CLASSES), len(TEXTS), aligned.heads)
    return build(config, STORED, aligned.heads)


@pytest.fixture
def fit(
    folder: Path, backbone: Backbone, labels_by: Callable[..., OnlineLabels]
) -> Callable[..., dict[str, Tensor]]:
    """`fit(settings, work)` trains jointly and returns the state of the model, heads included."""

    def run(settings: Segmenter, work: str) -> dict[str, Tensor]:
        aligned = alignment()
        labels = labels_by(aligned)
        dataset = SegmentationDataset(
            learned_from([*labels.images.values()], labels.images, "label"),
            folder,
            labels.read,
            augmentation(settings.crop_size, settings.scale_range),
            0,
        )
        model = model_of(aligned, settings, backbone)
        train(model, dataset, settings, 0, Place(folder / work, CPU), aligned)
        return {name: value.clone() for name, value in model.state_dict().items()}

    return run


def test_one_step_is_of_the_gradient_of_the_sum_of_both_losses(
    joint: Segmenter, backbone: Backbone
) -> None:
    aligned = alignment()
    model = model_of(aligned, joint, backbone).train()
    pixels, truth = torch.rand(2, 3, SIDE, SIDE), torch.randint(0, 3, (2, SIDE, SIDE))

    def segmenter_loss(of: nn.Module) -> Tensor:
        logits = of.decode_head(of.backbone(pixels))
        large = nn.functional.interpolate(logits, (SIDE, SIDE), mode="bilinear")
        return nn.functional.cross_entropy(large, truth)

    other = copy.deepcopy(aligned)
    by_hand = model_of(other, joint, backbone).train()
    by_hand.load_state_dict(model.state_dict())
    other.loss().backward()
    of_alignment = [weight.grad.clone() for weight in other.heads.parameters()]
    (joint.gamma * segmenter_loss(by_hand)).backward()

    optimiser = JointOptimiser(make_optimiser(model, joint), joint, CPU, aligned)
    with optimiser.optim_context(model):
        loss = segmenter_loss(model)
    optimiser.scale_loss(loss).backward()
    for name, weight in by_hand.named_parameters():
        torch.testing.assert_close(model.get_parameter(name).grad, weight.grad, msg=name)
    differ = [
        not torch.equal(before, weight.grad)
        for before, weight in zip(of_alignment, other.heads.parameters(), strict=True)
    ]
    assert any(differ), "the segmenter's loss does not reach the heads"
    (group,) = [each for each in optimiser.param_groups if each["lr"] == ALIGNING.learning_rate]
    assert [*map(id, group["params"])] == [*map(id, aligned.heads.parameters())]
    assert group["weight_decay"] == ALIGNING.weight_decay


def test_labels_follow_the_heads(labels_by: Callable[[OnlineAlignment], OnlineLabels]) -> None:
    aligned = alignment()
    labels = labels_by(aligned)
    before = labels.read("image3")
    assert before.shape == (SIDE, SIDE + 3)
    assert set(np.unique(before)) == {0, 2}
    np.testing.assert_array_equal(labels.read("image3"), before)
    with torch.no_grad():
        aligned.heads.image.layers[-1].bias += 10 * torch.from_numpy(TEXTS[3] - TEXTS[1])
        for weight in aligned.heads.image.layers[0].parameters():
            weight += torch.rand_like(weight)
    assert (labels.read("image3") != before).any()


@pytest.mark.parametrize(("iteration", "resumed_at"), [(1, 0), (3, 2), (5, 4)])
def test_killed_and_resumed_ends_with_the_same_bits(
    fit: Callable[..., dict[str, Tensor]],
    joint: Segmenter,
    interrupt: Callable[[int, Callable[[], None]], None],
    capsys: pytest.CaptureFixture[str],
    iteration: int,
    resumed_at: int,
) -> None:
    undisturbed = fit(joint, "one")

    def die() -> Any:
        raise KeyboardInterrupt

    interrupt(iteration, die)
    with pytest.raises(KeyboardInterrupt):
        fit(joint, "two")
    resumed = fit(joint, "two")
    said = f"continues behind iteration {resumed_at}" if resumed_at else "starts in"
    assert said in capsys.readouterr().err
    for name, value in undisturbed.items():
        assert torch.equal(resumed[name], value), name
    heads = {name: value for name, value in undisturbed.items() if ".heads." in name}
    start = alignment().heads.state_dict()
    moved = [
        name for name in heads if not torch.equal(heads[name], start[name.split(".heads.")[1]])
    ]
    assert len(moved) > len(heads) / 2
