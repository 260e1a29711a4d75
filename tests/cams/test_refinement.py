"""Masks and refined maps against loops that spell the definitions out."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ssr.cams.refinement import (
    box_mask,
    image_affinity,
    patch_mask,
    refine,
    refine_image,
    region_sums,
    superpixel_mask,
    target_regions,
)
from ssr.config import Refinement
from ssr.maps import min_max, on_grid, upsample

GRID, PATCH = (4, 5), 3
SIZE = (GRID[0] * PATCH, GRID[1] * PATCH)


def settings(**changes: Any) -> Refinement:
    return Refinement(**{"high_confidence": 0.7, "region_threshold": 0.1, **changes})


def random_cams(seed: int = 0, classes: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((classes, *GRID), dtype=np.float32) ** 3


def random_regions(seed: int = 0, count: int = 6) -> NDArray[np.uint8]:
    """Blocky regions that do not follow the patch grid."""
    random = np.random.default_rng(seed).integers(0, count, (6, 5)).astype(np.uint8)
    return random.repeat(2, 0).repeat(3, 1)


def random_affinity(seed: int = 0) -> NDArray[np.float32]:
    patches = GRID[0] * GRID[1]
    return np.random.default_rng(seed).random((patches, patches), np.float32)


def literal_targets(cam: NDArray, regions: NDArray, high: float, threshold: float) -> set[int]:
    """Regions by a loop over the pixels of one map."""
    large = upsample(cam[None], SIZE)[0]
    confident, everything = dict.fromkeys(range(6), 0.0), dict.fromkeys(range(6), 0.0)
    for place in np.ndindex(SIZE):
        region, value = int(regions[place]), float(large[place])
        everything[region] += value
        confident[region] += value if value > high * large.max() else 0
    return {r for r in everything if everything[r] and confident[r] / everything[r] > threshold}


def literal_superpixel_mask(
    cam: NDArray, regions: NDArray, high: float, threshold: float, coverage: float
) -> NDArray[np.bool_]:
    targets = literal_targets(cam, regions, high, threshold)
    mask = np.zeros(GRID, bool)
    for row, column in np.ndindex(GRID):
        inside = 0
        for y, x in np.ndindex(PATCH, PATCH):
            inside += int(regions[row * PATCH + y, column * PATCH + x]) in targets
        mask[row, column] = inside > 0 and inside / PATCH**2 >= coverage
    return mask


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.1, 0.3])
def test_target_regions_hold_enough_confident_activation(seed: int, threshold: float) -> None:
    cams, regions = random_cams(seed), random_regions(seed)
    result = target_regions(cams, regions, 0.5, threshold)
    for cam, targets in zip(cams, result, strict=True):
        assert set(np.flatnonzero(targets)) == literal_targets(cam, regions, 0.5, threshold)
    assert result.any()
    assert not result.all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("coverage", [0.0, 0.5, 1.0])
def test_a_patch_is_on_if_target_regions_cover_enough_of_it(seed: int, coverage: float) -> None:
    cams, regions = random_cams(seed), random_regions(seed)
    chosen = settings(high_confidence=0.5, region_threshold=0.1, patch_coverage=coverage)
    result = superpixel_mask(cams, regions, chosen)
    for cam, mask in zip(cams, result, strict=True):
        np.testing.assert_array_equal(
            mask, literal_superpixel_mask(cam, regions, 0.5, 0.1, coverage)
        )


def test_one_target_pixel_is_enough_at_coverage_zero_and_none_is_not() -> None:
    cam = np.zeros((1, *GRID), np.float32)
    cam[0, 0, 0] = 1
    regions = np.zeros(SIZE, np.uint8)
    regions[:4, :4] = 1  # patch (0, 0) and a pixel's breadth of its neighbours
    mask = superpixel_mask(cam, regions, settings(region_threshold=0.3, patch_coverage=0))
    assert mask[0, :2, :2].all()
    assert mask.sum() == 4
    mask = superpixel_mask(cam, regions, settings(region_threshold=0.3, patch_coverage=0.5))
    assert mask.sum() == 1


def test_region_sums_of_a_worked_example() -> None:
    maps = np.array([[[1, 2], [3, 4]], [[10, 20], [30, 40]]], np.float32)
    regions = np.array([[0, 2], [2, 0]], np.uint16)
    assert region_sums(maps, regions).tolist() == [[5, 0, 5], [50, 0, 50]]


def test_without_a_target_region_the_nearest_is_taken() -> None:
    cams, regions = random_cams(), random_regions()
    targets = target_regions(cams, regions, 0.8, 1.0)  # no share exceeds 1
    np.testing.assert_array_equal(targets.sum(1), 1)
    assert (targets <= target_regions(cams, regions, 0.8, 0.0)).all()


def test_without_a_patch_of_full_coverage_the_nearest_is_taken() -> None:
    cam = np.zeros((1, *GRID), np.float32)
    cam[0, 1, 1] = 1
    regions = np.zeros(SIZE, np.uint8)
    regions[4, 4] = 1  # one pixel in the middle of patch (1, 1)
    mask = superpixel_mask(cam, regions, settings(region_threshold=0.9, patch_coverage=1))
    assert np.argwhere(mask[0]).tolist() == [[1, 1]]


@pytest.mark.parametrize("kind", ["superpixel", "box", "box+superpixel", "none"])
def test_a_map_without_activation_is_left_unmasked(kind: str) -> None:
    cams = np.zeros((2, *GRID), np.float32)
    assert patch_mask(cams, random_regions(), settings(mask=kind)).all()


@pytest.mark.parametrize("kind", ["superpixel", "box", "box+superpixel", "none"])
def test_classes_do_not_influence_each_other(kind: str) -> None:
    cams, regions, chosen = random_cams(), random_regions(), settings(mask=kind)
    together = patch_mask(cams, regions, chosen)
    alone = [patch_mask(cam[None], regions, chosen)[0] for cam in cams]
    np.testing.assert_array_equal(together, alone)


def literal_box_mask(cam: NDArray, threshold: float) -> NDArray[np.bool_]:
    """Boxes around the parts of the map, found by flooding."""
    waiting = {tuple(place) for place in np.argwhere(cam > threshold * cam.max())}
    mask = np.zeros(cam.shape, bool)
    while waiting:
        border, part = [waiting.pop()], []
        while border:
            row, column = border.pop()
            part.append((row, column))
            near = {(row + y, column + x) for y in (-1, 0, 1) for x in (-1, 0, 1)} & waiting
            waiting -= near
            border += near
        rows, columns = zip(*part, strict=True)
        mask[min(rows) : max(rows) + 1, min(columns) : max(columns) + 1] = True
    return mask


@pytest.mark.parametrize("seed", range(5))
def test_boxes_surround_the_connected_parts_of_a_map(seed: int) -> None:
    cams = np.random.default_rng(seed).random((3, 9, 12), dtype=np.float32)
    masks = box_mask(cams, 0.85)
    for cam, mask in zip(cams, masks, strict=True):
        np.testing.assert_array_equal(mask, literal_box_mask(cam, 0.85))
    assert not masks.all()


def test_boxes_hold_the_last_row_and_column() -> None:
    cam = np.zeros((1, *GRID), np.float32)
    cam[0, -1, -2] = cam[0, -2, -1] = 1  # touch by their corner
    assert np.argwhere(box_mask(cam, 0.4)[0]).tolist() == [[2, 3], [2, 4], [3, 3], [3, 4]]


def test_boxes_without_the_border_leave_it_out_and_may_be_empty() -> None:
    cams = np.zeros((2, *GRID), np.float32)
    cams[0, -2:, 1:3] = cams[1, :, -1] = 1
    assert np.argwhere(box_mask(cams, 0.4, border=False)).tolist() == [[0, 2, 1], [0, 2, 2]]
    affinity, bare = random_affinity(), settings(mask="box", box_border=False)
    refined = refine(cams, affinity, patch_mask(cams, random_regions(), bare), power=1)
    assert refined[0].max() == 1
    assert not refined[1].any()


def test_a_box_threshold_of_one_keeps_the_maximum() -> None:
    cam = random_cams(classes=1)
    assert np.argwhere(box_mask(cam, 1.0)[0]).tolist() == [
        list(np.unravel_index(cam.argmax(), GRID))
    ]


def test_box_and_superpixel_must_both_agree() -> None:
    cams, regions = random_cams(2), random_regions(2)
    both = patch_mask(cams, regions, settings(mask="box+superpixel"))
    box = patch_mask(cams, regions, settings(mask="box"))
    superpixel = patch_mask(cams, regions, settings(mask="superpixel"))
    assert (box & superpixel).any((1, 2)).all()
    np.testing.assert_array_equal(both, box & superpixel)
    assert (both != box).any()


def test_value_flows_from_the_masked_patches_only() -> None:
    """(A ⊙ Mask) · CAM where Mask_ij = 1 iff patch j is on, entry by entry in double precision."""
    cams, affinity = random_cams(), random_affinity().astype(np.float64)
    mask = np.random.default_rng(1).random(cams.shape) < 0.4
    squared = affinity @ affinity
    refined = refine(cams, affinity, mask, power=2)
    for cam, on, result in zip(cams, mask, refined, strict=True):
        expected = np.zeros(cam.size)
        for i, j in np.ndindex(squared.shape):
            expected[i] += squared[i, j] * on.flat[j] * float(cam.flat[j])
        expected = (expected - expected.min()) / np.ptp(expected)
        np.testing.assert_allclose(result.ravel(), expected, atol=1e-7)


def test_what_is_masked_out_has_no_influence() -> None:
    cams, affinity = random_cams(), random_affinity()
    mask = np.random.default_rng(1).random(cams.shape) < 0.4
    other = np.where(mask, cams, np.random.default_rng(2).random(cams.shape)).astype(np.float32)
    np.testing.assert_array_equal(
        refine(cams, affinity, mask, power=2), refine(other, affinity, mask, power=2)
    )


def test_refined_maps_are_in_the_unit_range_and_leave_the_input_alone() -> None:
    cams = random_cams()
    before = cams.copy()
    refined = refine(cams, random_affinity(), np.ones(cams.shape, bool), power=2)
    assert refined.dtype == np.float32
    np.testing.assert_array_equal(refined.min((1, 2)), 0)
    np.testing.assert_array_equal(refined.max((1, 2)), 1)
    np.testing.assert_array_equal(cams, before)


def test_a_constant_map_stays_finite() -> None:
    refined = refine(
        np.zeros((1, *GRID), np.float32), random_affinity(), np.ones((1, *GRID), bool), 2
    )
    assert (refined == 0).all()


def test_attention_normalised_by_itself_counts_for_its_weight_whatever_its_sums() -> None:
    clip, dino = random_affinity(1), random_affinity(2)
    each = settings(normalised="each", sinkhorn_rounds=20)
    affinity = image_affinity(clip, dino, each)
    np.testing.assert_allclose(image_affinity(clip, 0.1 * dino, each), affinity, rtol=1e-5)
    np.testing.assert_array_equal(affinity, affinity.T)
    np.testing.assert_allclose(affinity.sum(0), 1, atol=1e-4)


def test_attention_normalised_after_it_was_fused_counts_for_its_sums() -> None:
    clip, dino = random_affinity(1), random_affinity(2)
    fused = image_affinity(clip, dino, settings(normalised="fused"))
    weaker = image_affinity(clip, 0.1 * dino, settings(normalised="fused"))
    assert np.abs(weaker - fused).max() > 0.01


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0)])
def test_with_one_network_alone_it_is_the_same(weights: tuple[float, float]) -> None:
    clip, dino = random_affinity(1), random_affinity(2)
    alone = {"clip_weight": weights[0], "dino_weight": weights[1]}
    np.testing.assert_allclose(
        image_affinity(clip, dino, settings(normalised="each", **alone)),
        image_affinity(clip, dino, settings(normalised="fused", **alone)),
    )


def test_an_image_is_refined_on_the_grid_from_what_is_stored_of_it() -> None:
    cams = np.random.default_rng(3).random((2, 8, 10), np.float32)
    clip, dino, regions = random_affinity(1), random_affinity(2), random_regions()
    features = {"clip_attention": clip, "dino_attention": dino, "grid": np.array(GRID)}
    superpixels = {"labels": regions, "regions": np.arange(6)[::-1]}
    found = refine_image(cams, features.__getitem__, superpixels.__getitem__, settings(power=2))
    maps = min_max(on_grid(cams, GRID))
    mask = patch_mask(maps, 5 - regions, settings())
    wanted = refine(maps, image_affinity(clip, dino, settings()), mask, power=2)
    np.testing.assert_array_equal(found, wanted)


def test_without_affinity_nothing_that_is_stored_is_read() -> None:
    cams = np.random.default_rng(3).random((2, 8, 10), np.float32)
    found = refine_image(cams, {}.__getitem__, {}.__getitem__, settings(affinity="none"))
    np.testing.assert_array_equal(found, min_max(cams))
