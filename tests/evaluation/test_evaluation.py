import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ssr.artefacts.seals import verify
from ssr.artefacts.store import ShardWriter, open_shards
from ssr.data.index import Index
from ssr.data.masks import Masks
from ssr.data.pngs import PngWriter, encode_png
from ssr.errors import InputError
from ssr.evaluation.evaluation import (
    Shard,
    count,
    count_cams,
    count_labels,
    count_logits,
    curve,
    pair_with_masks,
    quality,
    write_evaluation,
)
from ssr.evaluation.metrics import confusion_at, count_confusion, score, sweep, thresholds
from ssr.labelling.pseudo_labels import enlarge
from ssr.labels import IGNORE
from tests.evaluated_folder import make_folder, write_cams, write_labels, write_logits

NAMES = ["background", "cat", "dog", "owl"]
TRAIN = ("train_0000", "train_0001")
Truth = dict[str, NDArray[np.uint8]]


@pytest.fixture
def masks(tmp_path: Path) -> Truth:
    return make_folder(tmp_path)


def train_shards(folder: Path, paths: list[Path]) -> list[Shard]:
    images = Index.read(folder / "index.parquet").split("train")
    return pair_with_masks(paths, images, Masks.read(folder / "masks.parquet", folder))


def test_cams_are_counted_over_all_shards_at_every_threshold(tmp_path: Path, masks: Truth) -> None:
    paths = [write_cams(tmp_path, shard) for shard in TRAIN]
    counter = partial(count_cams, classes=4, levels=20)
    histogram = count(counter, train_shards(tmp_path, paths), 1).total
    store = open_shards(paths)
    for index, threshold in enumerate(thresholds(20)):
        expected = np.zeros((4, 5), np.int64)
        for name in ("a", "b", "c"):
            scores = enlarge(store.read(name, "cams"), masks[name].shape)
            background = np.full_like(scores[:1], threshold)
            labels = np.concatenate([background, scores]).argmax(axis=0)
            expected += count_confusion(masks[name], labels, 4)
        np.testing.assert_array_equal(confusion_at(histogram, index), expected[:, :4])


def test_labels_are_counted_over_all_shards(tmp_path: Path, masks: Truth) -> None:
    labels = {name: np.where(mask == IGNORE, 3, mask) for name, mask in masks.items()}
    labels["b"][10:20] = IGNORE
    paths = [write_labels(tmp_path, shard, labels) for shard in TRAIN]
    confusion = count(partial(count_labels, classes=4), train_shards(tmp_path, paths), 1).total
    expected = sum(count_confusion(masks[name], labels[name], 4) for name in ("a", "b", "c"))
    np.testing.assert_array_equal(confusion, expected)
    assert confusion[:, 4].sum() == 200
    assert not (confusion[:, :4] - np.diag(np.diag(confusion))).any()


def test_logits_are_enlarged_before_the_largest_wins(tmp_path: Path, masks: Truth) -> None:
    path = write_logits(tmp_path, "train_0001")
    shard = Shard(path, Masks({"c": "c_mask.png"}, tmp_path), {"c": (1, 2)})
    confusion, given = count_logits(shard, classes=4).total
    assert (confusion == given).all(), "no other class has a logit"
    assert confusion.sum() == (masks["c"] != IGNORE).sum()
    coarse = np.repeat(np.repeat(masks["c"][2::4, 2::4], 4, 0), 4, 1)
    blocky = count_confusion(masks["c"], coarse, 4)
    assert np.trace(confusion) > 0.85 * confusion.sum()
    assert (confusion != blocky).any()


@pytest.mark.parametrize(
    ("labels", "given"),
    [
        ((1, 2), [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]),
        ((1,), [[1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]),
        ((), [[1, 0, 0, 1], [1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]),
    ],
)
def test_with_the_labels_given_other_classes_are_left_out(
    tmp_path: Path, labels: tuple[int, ...], given: list[list[int]]
) -> None:
    truth = np.array([[0, 0], [1, 1], [2, IGNORE]], np.uint8)
    logits = np.zeros((4, 3, 2), np.float32)
    logits[3, :, 0] = 9  # where an owl seems to be, a cat comes second
    logits[1, :, 0] = 5
    logits[0, :, 1] = 7
    logits[2, 2, 0], logits[3, 2, 0] = 8, 1
    (tmp_path / "x_mask.png").write_bytes(encode_png(truth))
    with ShardWriter(tmp_path / "val_0000.zarr.zip") as writer:
        writer.add("x", {"logits": logits})
    shard = Shard(
        tmp_path / "val_0000.zarr.zip", Masks({"x": "x_mask.png"}, tmp_path), {"x": labels}
    )
    tally = count_logits(shard, classes=4)
    plain = [[1, 0, 0, 1], [1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(tally.total[..., :4], [plain, given])
    assert not tally.total[..., 4].any()
    assert tally.images["x"].tolist() == [[0, 0, 1], [0, 3, 1], [1, 0, 1], [1, 3, 1], [2, 2, 1]]


def test_two_processes_count_what_one_counts(tmp_path: Path, masks: Truth) -> None:
    shards = train_shards(tmp_path, [write_labels(tmp_path, shard, masks) for shard in TRAIN])
    counter = partial(count_labels, classes=4)
    two, one = count(counter, shards, 2), count(counter, shards, 1)
    np.testing.assert_array_equal(two.total, one.total)
    assert list(two.images) == list(one.images) == ["a", "b", "c"]


def test_unlabelled_images_count_as_all_background(tmp_path: Path, masks: Truth) -> None:
    images = Index.read(tmp_path / "index.parquet").split("train")
    unknown = [replace(image, labels=()) if image.id == "c" else image for image in images]
    table = Masks.read(tmp_path / "masks.parquet", tmp_path)
    for name, writer in (("cams", ShardWriter), ("labels", PngWriter)):
        with writer(tmp_path / name / "train_0001.zip"):
            pass
    known = {image: masks[image] for image in "abc"}
    labels = [write_labels(tmp_path, "train_0000", known), tmp_path / "labels/train_0001.zip"]
    shards = pair_with_masks(labels, unknown, table)
    confusion = count(partial(count_labels, classes=4), shards, 1).total
    background = count_confusion(masks["c"], np.zeros_like(masks["c"]), 4)
    exact = sum(count_confusion(masks[name], masks[name], 4) for name in "ab")
    np.testing.assert_array_equal(confusion, exact + background)
    cams = [write_cams(tmp_path, "train_0000"), tmp_path / "cams/train_0001.zip"]
    shards = pair_with_masks(cams, unknown, table)
    histogram = count_cams(shards[1], classes=4, levels=20).total
    np.testing.assert_array_equal(confusion_at(histogram, 10), background[:, :4])
    assert count(partial(count_cams, classes=4), shards, 1).total.sum() == sum(
        (masks[name] != IGNORE).sum() for name in "abc"
    )


def test_the_confusions_of_the_images_add_up_to_that_of_all(tmp_path: Path, masks: Truth) -> None:
    paths = [write_cams(tmp_path, shard) for shard in TRAIN]
    counter = partial(count_cams, classes=4, levels=20, threshold=7)
    tally = count(counter, train_shards(tmp_path, paths), 1)
    total = np.zeros((4, 4), np.int64)
    for rows in tally.images.values():
        np.add.at(total, (rows[:, 0], rows[:, 1]), rows[:, 2])
    np.testing.assert_array_equal(total, confusion_at(tally.total, 7))


def test_every_image_needs_a_mask(tmp_path: Path, masks: Truth) -> None:
    images = Index.read(tmp_path / "index.parquet").split("train")
    with pytest.raises(InputError, match=r"image a \(train\) has no mask"):
        pair_with_masks([], images, Masks({}, tmp_path))


def test_every_shard_needs_its_file(tmp_path: Path, masks: Truth) -> None:
    with pytest.raises(InputError, match=r"\['train_0000', 'train_0001'\].*\['train_0000'\]"):
        train_shards(tmp_path, [write_cams(tmp_path, "train_0000")])


def test_errors_name_the_image(tmp_path: Path, masks: Truth) -> None:
    path = write_labels(tmp_path, "train_0001", masks)
    (tmp_path / "wrong.png").write_bytes(encode_png(np.full((24, 24), 9, np.uint8)))
    with pytest.raises(InputError, match="image c: the masks hold the value 9"):
        count_labels(Shard(path, Masks({"c": "wrong.png"}, tmp_path), {"c": (1,)}), classes=4)
    with pytest.raises(InputError, match="image z: no label map"):
        count_labels(Shard(path, Masks({"z": "c_mask.png"}, tmp_path), {"z": (1,)}), classes=4)


def test_quality_has_every_figure_by_class_name() -> None:
    confusion = np.array([[60, 20, 0, 0, 20], [5, 30, 0, 0, 5], [0, 10, 0, 0, 0], [0] * 5])
    result = quality(confusion, NAMES)
    expected = score(confusion[:, :4])
    assert result["miou"] == expected.means["miou"] == pytest.approx((60 / 85 + 30 / 65) / 3)
    assert result["fb_iou"] == pytest.approx((60 / 85 + 40 / 65) / 2)
    assert result["background_taken_for_object"] == pytest.approx(20 / 80)
    assert result["absent_classes"] == ["owl"]
    assert result["never_right_classes"] == ["dog"]
    assert list(result["per_class"]) == result["classes"] == NAMES
    cat = result["per_class"]["cat"]
    assert cat["iou"] == pytest.approx(30 / 65)
    assert cat["pixels"] == 35
    assert result["confusion"] == confusion[:, :4].tolist()
    assert result["abstained"] == [20, 5, 0, 0]


def test_a_class_that_is_only_predicted_counts_in_one_miou_and_not_in_the_other() -> None:
    result = quality(np.array([[60, 20, 20], [0, 40, 0], [0, 0, 0]]), ["background", "cat", "owl"])
    assert result["only_predicted_classes"] == ["owl"]
    assert result["absent_classes"] == []
    assert result["miou"] == pytest.approx((60 / 100 + 40 / 60 + 0) / 3)
    assert result["miou_true_classes"] == pytest.approx((60 / 100 + 40 / 60) / 2)


def test_abstentions_are_no_mistakes_but_are_told() -> None:
    confusion = np.array([[60, 20, 20], [0, 40, 10]])
    result = quality(confusion, ["background", "cat"])
    assert result["labelled"] == pytest.approx(120 / 150)
    assert result["miou"] == pytest.approx((60 / 80 + 40 / 60) / 2)
    assert result["miou_all_pixels"] == pytest.approx((60 / 100 + 40 / 70) / 2)


def test_without_abstentions_all_pixels_are_labelled() -> None:
    result = quality(np.array([[60, 20], [0, 40]]), ["background", "cat"])
    assert result["labelled"] == 1
    assert result["miou_all_pixels"] == result["miou"]
    assert result["abstained"] == [0, 0]


def test_the_curve_has_a_value_for_every_threshold() -> None:
    histogram = np.random.default_rng(0).integers(0, 9, (3, 3, 10))
    result = curve(sweep(histogram), levels=10)
    assert result["thresholds"] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert result["miou"] == [item.means["miou"] for item in sweep(histogram)]
    assert {len(values) for values in result.values()} == {9}


def test_json_has_null_where_there_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "evaluation.json"
    document = {"a": math.nan, "b": {"c": [np.float64(0.5), math.nan]}, "d": (1, "x", None, True)}
    write_evaluation(path, document)
    verify(path, required=True)
    read = json.loads(path.read_text())
    del read["seal"]
    assert read == {
        "a": None,
        "b": {"c": [0.5, None]},
        "d": [1, "x", None, True],
    }
