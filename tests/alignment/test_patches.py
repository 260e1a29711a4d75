"""Pooling after ISA: every patch goes through the image head before it is pooled."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ssr.alignment.heads import AlignmentHeads, HeadOptions, new_heads
from ssr.alignment.patches import STATISTICS_IMAGES, PatchSamples
from ssr.alignment.samples import pool
from tests.alignment.toy import CLASSES, DIMENSION, patch_samples, texts


def heads_for(samples: PatchSamples, residual: bool) -> AlignmentHeads:
    options = HeadOptions(DIMENSION, layers=1, width=8, residual=residual)
    return new_heads(options, samples.entering(0), torch.from_numpy(texts()), seed=0)


@torch.no_grad()
def test_heads_that_change_nothing_leave_the_samples_where_clip_has_them() -> None:
    samples = patch_samples()
    aligned = samples.aligned(heads_for(samples, residual=True))
    torch.testing.assert_close(aligned, torch.from_numpy(samples.features))


@torch.no_grad()
@pytest.mark.parametrize("rows", [None, [3], [5, 0, 4, 0]])
def test_a_sample_is_the_mean_of_its_aligned_patches(rows: list[int] | None) -> None:
    samples = patch_samples()
    heads = heads_for(samples, residual=False)
    chosen = None if rows is None else np.array(rows)
    expected = []
    for row in range(len(samples.labels)) if rows is None else rows:
        image = samples.images[row]
        # A third of the patches shows the first class, a third the second, a third the background.
        own = heads.image(samples.patches(image))[row % 3 * 2 :][:2].mean(0)
        expected.append(own / own.norm())
    aligned = samples.aligned(heads, chosen)
    torch.testing.assert_close(aligned, torch.stack(expected))
    before = heads.image(torch.from_numpy(samples.features))
    assert not torch.allclose(aligned, before if chosen is None else before[chosen], atol=1e-3)


def test_a_batch_is_what_the_norms_learn_from() -> None:
    samples = patch_samples()
    heads = heads_for(samples, residual=False).train()
    rows = np.array([0, 1, 9])
    both = torch.cat([samples.patches(samples.images[row]) for row in (0, 9)])
    weights = torch.eye(3).repeat_interleave(2, 1)
    first, second = heads.image(both).split(6)
    expected = [pool(first, weights, unit_patches=False)[:2], pool(second, weights, False)[:1]]
    torch.testing.assert_close(samples.aligned(heads, rows), torch.cat(expected))


def test_a_choice_of_images_gives_new_heads_their_statistics() -> None:
    samples = patch_samples(count=STATISTICS_IMAGES + 6)
    entering = samples.entering(0)
    assert entering.shape == (6 * STATISTICS_IMAGES, DIMENSION)
    assert torch.equal(entering, samples.entering(0))
    assert not torch.equal(entering, samples.entering(1))
    assert len(patch_samples(count=4).entering(0)) == 24


def test_backgrounds_may_be_left_out() -> None:
    samples = patch_samples()
    alone = samples.foreground(CLASSES)
    kept = PatchSamples.of(alone, samples.classes, samples.patches, samples.weights)
    heads = heads_for(samples, residual=False)
    everything = samples.aligned(heads)[torch.from_numpy(samples.labels < CLASSES)]
    assert torch.equal(kept.aligned(heads), everything)


def test_the_order_of_samples_and_classes_is_of_no_meaning() -> None:
    samples = patch_samples()
    heads, order = heads_for(samples, residual=False), np.arange(len(samples.labels))[::-1]
    turned = replace(
        samples,
        images=samples.images[order],
        labels=samples.labels[order],
        classes={image: own[::-1] for image, own in samples.classes.items()},
        weights=lambda image: samples.weights(image)[[1, 0, 2]],
    )
    torch.testing.assert_close(turned.aligned(heads), samples.aligned(heads).flip(0))
