from collections import Counter

import numpy as np
import pytest
import torch

from ssr.data.index import Index
from ssr.data.pngs import PngWriter, open_pngs
from ssr.errors import InputError
from ssr.running.provenance import reachable_modules
from ssr.segmenter.dataset import RandomScale, SegmentationDataset, augmentation, learned_from


@pytest.fixture
def dataset(folder):
    return make(folder)


def make(folder, seed=0, labels="labels.zip", augment=None):
    found = open_pngs([folder / labels])
    return SegmentationDataset(
        learned_from(Index.read(folder / "index.parquet").images, found, "pseudo-label"),
        folder,
        found.read,
        augment or augmentation(24, (0.5, 2.0)),
        seed,
    )


def same(one, other):
    labels = [each["data_samples"].gt_sem_seg.data for each in (one, other)]
    return torch.equal(one["inputs"], other["inputs"]) and torch.equal(*labels)


def test_only_labelled_images_of_train_are_learned_from(dataset):
    assert [image.id for image in dataset.images] == [f"image{number}" for number in range(8)]


def test_no_module_behind_the_training_knows_masks():
    assert "ssr.data.pngs" in reachable_modules("workflow_scripts.train_segmenter")
    masks = {"ssr.data.masks", "ssr.evaluation.metrics"}
    assert not masks & reachable_modules("workflow_scripts.train_segmenter")


def test_each_epoch_is_another_permutation(dataset):
    epochs = [[dataset.image_at(8 * epoch + place).id for place in range(8)] for epoch in (0, 1)]
    assert [set(Counter(epoch).values()) for epoch in epochs] == [{1}, {1}]
    assert epochs[0] != epochs[1]


def test_a_sample_depends_on_seed_and_position_alone(folder, dataset):
    np.random.seed(7)
    first = dataset[5]
    dataset[2]
    assert same(first, dataset[5])
    assert same(first, make(folder)[5])
    assert not same(first, make(folder, seed=1)[5])
    assert not same(first, dataset[5 + 8 * 100])


def test_image_and_labels_stay_together(folder):
    """Only class 1 was darkened: after scale, crop and flip it is still darker than the rest."""
    scale_and_crop = make(folder).augment
    scale_and_crop.transforms.pop(3)  # photometric distortion
    dataset = make(folder, augment=scale_and_crop)
    dark, light = [], []
    for position in range(32):
        sample = dataset[position]
        pixels = sample["inputs"].float().mean(0)
        labels = sample["data_samples"].gt_sem_seg.data[0]
        dark += pixels[labels == 1].tolist()
        light += pixels[labels == 0].tolist()
    assert np.mean(dark) < 0.4 * np.mean(light)


def test_ignored_pixels_stay_ignored(dataset):
    found = {
        int(value)
        for position in range(16)
        for value in dataset[position]["data_samples"].gt_sem_seg.data.unique()
    }
    assert found == {0, 1, 2, 255}


def test_crops_are_bgr_of_at_most_the_crop_size(folder):
    packed = make(folder, augment=lambda results: results)[0]
    assert packed["img"].shape[:2] == packed["gt_seg_map"].shape
    sides = [side for position in range(16) for side in make(folder)[position]["inputs"].shape[1:]]
    assert max(sides) == 24
    assert min(sides) < 24


def test_the_scale_is_drawn_from_its_range():
    factors = []
    for seed in range(50):
        np.random.seed(seed)
        image = {"img": np.zeros((100, 60, 3), np.uint8), "gt_seg_map": np.zeros((100, 60))}
        scaled = RandomScale(0.5, 2.0)(image)
        assert scaled["gt_seg_map"].shape == scaled["img"].shape[:2]
        factors.append(scaled["img"].shape[0] / 100)
    assert min(factors) < 0.7
    assert max(factors) > 1.7
    assert all(0.5 <= factor <= 2.0 for factor in factors)


def test_an_image_without_pseudo_label_is_named(folder):
    with PngWriter(folder / "few.zip") as writer:
        writer.add("image0", np.zeros((32, 32), np.uint8))
    with pytest.raises(InputError, match=r"7 of 8 training images.* pseudo-label; .* is image1"):
        make(folder, labels="few.zip")


def test_labels_of_another_size_are_named(folder):
    with PngWriter(folder / "other.zip") as writer:
        for number in range(8):
            writer.add(f"image{number}", np.zeros((5, 5), np.uint8))
    with pytest.raises(InputError, match=r"labels of image\d: must be \(32, .*came \(5, 5\)"):
        make(folder, labels="other.zip")[0]


def test_a_training_set_without_labels_is_refused(folder):
    unlabelled = [
        image for image in Index.read(folder / "index.parquet").images if not image.labels
    ]
    with pytest.raises(InputError, match="no image of split train has a class"):
        learned_from(unlabelled, (), "label")
