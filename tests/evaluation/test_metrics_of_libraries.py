"""The figures of a confusion matrix against torchmetrics and mmsegmentation's IoUMetric."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.functional import classification

from ssr.evaluation.metrics import Scores, count_confusion, score
from ssr.labels import IGNORE
from ssr.segmenter.mmseg_import import compiled_operators

with compiled_operators():
    from mmseg.evaluation.metrics import IoUMetric

CLASSES = 6
# Of six classes the truth holds 0 to 3, the answer 0 to 2 and 4; nothing is a 5.
TRUE, PREDICTED = [0, 1, 2, 3, IGNORE], [0, 1, 2, 4]
ONLY_TRUE, ONLY_PREDICTED, ABSENT = 3, 4, 5


@pytest.fixture(params=range(3))
def images(request: pytest.FixtureRequest) -> list[tuple[NDArray, NDArray]]:
    """Truth and prediction of three images."""
    random = np.random.default_rng(request.param)
    sizes = [(20, 30), (7, 5), (16, 16)]
    return [(random.choice(TRUE, size), random.choice(PREDICTED, size)) for size in sizes]


def ours(images: list[tuple[NDArray, NDArray]]) -> Scores:
    return score(sum(count_confusion(*each, CLASSES)[:, :-1] for each in images))


def pixels(images: list[tuple[NDArray, NDArray]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Prediction and truth of all images, as torchmetrics takes them."""
    truth, prediction = (
        np.concatenate([one.ravel() for one in each]) for each in zip(*images, strict=True)
    )
    return torch.from_numpy(prediction), torch.from_numpy(truth)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("iou", classification.multiclass_jaccard_index),
        ("precision", classification.multiclass_precision),
        ("recall", classification.multiclass_recall),
    ],
)
def test_torchmetrics_counts_as_we_do(
    images: list[tuple[NDArray, NDArray]], name: str, function: Callable[..., torch.Tensor]
) -> None:
    scores = ours(images)
    theirs = function(*pixels(images), CLASSES, average="none", ignore_index=IGNORE).numpy()
    assert theirs[ABSENT] == 0, "where we say that there is no number"
    np.testing.assert_allclose(np.nan_to_num(getattr(scores, name)), theirs, rtol=1e-6)
    mean = function(*pixels(images), CLASSES, average="macro", ignore_index=IGNORE)
    means = scores.means | {"iou": scores.means["miou"]}
    assert means[name] == pytest.approx(mean.item(), rel=1e-6)


def of_mmsegmentation(images: list[tuple[NDArray, NDArray]]) -> dict[str, NDArray]:
    """mmsegmentation's figures of each class."""
    areas = [
        IoUMetric.intersect_and_union(
            torch.from_numpy(prediction), torch.from_numpy(truth), CLASSES, IGNORE
        )
        for truth, prediction in images
    ]
    totals = map(sum, zip(*areas, strict=True))
    return IoUMetric.total_area_to_metrics(*totals, ["mIoU", "mFscore"])


def test_mmsegmentation_has_the_same_iou(images: list[tuple[NDArray, NDArray]]) -> None:
    scores, theirs = ours(images), of_mmsegmentation(images)
    np.testing.assert_allclose(theirs["IoU"], scores.iou, rtol=1e-6)
    assert scores.iou[[ONLY_TRUE, ONLY_PREDICTED]].tolist() == [0, 0]
    assert np.isnan(scores.iou[ABSENT])
    assert np.nanmean(theirs["IoU"]) == pytest.approx(scores.means["miou"], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "title", "left_out"),
    [("precision", "Precision", ONLY_TRUE), ("recall", "Recall", ONLY_PREDICTED)],
)
def test_mmsegmentation_leaves_out_of_precision_and_recall_what_counts_zero_here(
    images: list[tuple[NDArray, NDArray]], name: str, title: str, left_out: int
) -> None:
    own, theirs = getattr(ours(images), name), of_mmsegmentation(images)[title]
    assert own[left_out] == 0
    assert np.isnan(theirs[left_out])
    rest = np.arange(CLASSES) != left_out
    np.testing.assert_allclose(theirs[rest], own[rest], rtol=1e-6)


def of_clip_es(images: list[tuple[NDArray, NDArray]]) -> float:
    """The mean IoU of CLIP-ES's own evaluation: over the classes that the truth holds."""
    histogram = np.zeros((CLASSES, CLASSES))
    for truth, prediction in images:
        known = truth < CLASSES
        flat = CLASSES * truth[known] + prediction[known]
        histogram += np.bincount(flat, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    right = np.diag(histogram)
    with np.errstate(invalid="ignore"):
        iou = right / (histogram.sum(1) + histogram.sum(0) - right)
    return float(np.nanmean(iou[histogram.sum(1) > 0]))


def test_clip_es_leaves_out_what_is_only_predicted(images: list[tuple[NDArray, NDArray]]) -> None:
    scores = ours(images)
    assert scores.only_predicted == (ONLY_PREDICTED,)
    assert scores.miou_true_classes == pytest.approx(of_clip_es(images), rel=1e-12)
    assert scores.miou_true_classes == pytest.approx(scores.means["miou"] * 5 / 4)
