"""Masks against labels: what is counted, what is said, and where it is refused."""

import numpy as np
import pytest

from ssr.data.agreement import compare_masks
from ssr.data.findings import Findings
from ssr.errors import InputError

NAMES = [f"class {number}" for number in range(1, 21)]
IMAGES = 400


def drawn(seed=0, count=IMAGES, classes=20, most=3):
    """Labels of images: one to `most` classes each, the first ones more often than the last."""
    random = np.random.default_rng(seed)
    share = 1 / np.arange(1, classes + 1)
    return {
        f"image {number}": tuple(
            sorted(
                random.choice(classes, random.integers(1, most + 1), False, share / share.sum()) + 1
            )
        )
        for number in range(count)
    }


def noisy(labels, share, classes=20, seed=1):
    """Each label is replaced, with this probability, by one class at random."""
    random = np.random.default_rng(seed)
    return {
        image_id: tuple(
            sorted(
                {int(random.integers(classes)) + 1 if random.random() < share else n for n in own}
            )
        )
        for image_id, own in labels.items()
    }


def permuted(labels, seed=2):
    order = np.random.default_rng(seed).permutation(len(NAMES)) + 1
    return {image_id: tuple(int(order[n - 1]) for n in own) for image_id, own in labels.items()}


def warnings(shown, labels, names=NAMES):
    """What is warned of; an error is none of it."""
    findings = Findings()
    compare_masks(shown, labels, names, findings)
    findings.raise_problems("set")
    return findings.warnings


LABELS = drawn()
SOUND = {
    "equal": (LABELS, LABELS),
    "half of the labels wrong": (LABELS, noisy(LABELS, 0.5)),
    "two thirds of the labels wrong": (LABELS, noisy(LABELS, 0.65)),
    "only the first class labelled": (LABELS, {i: own[:1] for i, own in LABELS.items()}),
    "small objects without a pixel": ({i: own[-1:] for i, own in LABELS.items()}, LABELS),
    "masks of background alone": (dict.fromkeys(LABELS, ()), LABELS),
    "every second mask of background": (
        {i: own if n % 2 else () for n, (i, own) in enumerate(LABELS.items())},
        LABELS,
    ),
    "a single class": (dict.fromkeys(LABELS, (1,)), dict.fromkeys(LABELS, (1,))),
    "one class in nearly all images": (
        dict.fromkeys(LABELS, (1,)),
        {i: (1,) if n % 50 else (2,) for n, i in enumerate(LABELS)},
    ),
    "nine images that contradict": tuple(dict.fromkeys("abcdefghi", own) for own in ((1,), (2,))),
    "labels that say nothing": (LABELS, dict.fromkeys(LABELS, ())),
    "no masks": ({}, LABELS),
}
SLIPS = {
    "classes in another order": (permuted(LABELS), LABELS),
    "the first index left out": (
        {i: tuple(n % 20 + 1 for n in own) for i, own in LABELS.items()},
        LABELS,
    ),
    "one index for all": (dict.fromkeys(LABELS, (1,)), LABELS),
    "objects counted in every image": (
        {i: tuple(range(1, len(own) + 1)) for i, own in LABELS.items()},
        drawn(most=3, seed=5),
    ),
    "ten images that contradict": tuple(dict.fromkeys("abcdefghij", own) for own in ((1,), (2,))),
    "two classes that changed places": (
        {i: (n % 2 + 1,) for n, i in enumerate(LABELS)},
        {i: (2 - n % 2,) for n, i in enumerate(LABELS)},
    ),
}


@pytest.mark.parametrize("what", SOUND)
def test_noise_missing_objects_and_few_images_are_no_error(what):
    warnings(*SOUND[what])


@pytest.mark.parametrize("what", SLIPS)
def test_masks_that_hardly_fit_their_labels_are_refused(what):
    with pytest.raises(InputError, match="so that hardly a mask fits its labels"):
        warnings(*SLIPS[what])


def test_nothing_is_said_of_masks_that_show_their_labels():
    assert warnings(LABELS, LABELS) == []


def test_differences_are_counted_by_pair_the_most_frequent_first():
    shown = {"a": (1,), "b": (2,), "c": (2,), "d": (1, 2, 3), "e": (2,), "f": (3,)}
    labels = {"a": (1,), "b": (1,), "c": (1,), "d": (1, 2), "e": (1, 2), "f": (3,), "g": (2,)}
    assert warnings(shown, labels, ("cat", "dog", "owl")) == [
        "2 × class that masks show and labels lack, in 3 of 6 images: "
        "dog in place of cat (2, such as b), owl (1, such as d)",
        "1 × class that labels name and masks lack, in 1 of 6 images: cat (1, such as e)",
    ]


def test_a_refusal_names_the_pairs_and_what_may_be_the_slip():
    labels = {str(n): (1,) for n in range(9)} | {"x": (2,)}
    shown = {str(n): (2,) for n in range(9)} | {"x": (1,)}
    with pytest.raises(InputError) as error:
        warnings(shown, labels, ("cat", "dog"))
    assert str(error.value).splitlines()[1] == (
        "  2 × class that masks show and labels lack, so that hardly a mask fits its labels (are "
        "data.classes in the order of the masks' indices, are these indices of classes?), in 10 of "
        "10 images: dog in place of cat (9, such as 0), cat in place of dog (1, such as x)"
    )
