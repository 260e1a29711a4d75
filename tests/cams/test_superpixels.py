"""Superpixels: connected pieces of one colour, the same on every run and machine."""

import sys

import numpy as np
import pytest
from skimage.color import rgb2lab
from skimage.measure import label as connected_pieces

from ssr.cams import superpixels
from ssr.cams.superpixels import cluster_colours, mean_colours, segment, slic
from ssr.config import Superpixels

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 40), (20, 40, 210)


def striped(height: int = 48, width: int = 96) -> np.ndarray:
    """Three upright stripes with a little noise."""
    stripes = np.array([RED, GREEN, BLUE])[np.arange(width) * 3 // width]
    noise = np.random.default_rng(3).integers(-8, 9, (height, width, 3))
    return (stripes[None] + noise).clip(0, 255).astype(np.uint8)


def textured(seed: int, height: int = 112, width: int = 144) -> np.ndarray:
    """Smooth random colours, which give SLIC many close decisions."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 9, 3)).astype(np.uint8)
    rows = np.linspace(0, 7, height).round().astype(int)
    columns = np.linspace(0, 8, width).round().astype(int)
    ramp = np.linspace(0, 40, width).astype(np.uint8)[None, :, None]
    return coarse[rows][:, columns] // 2 + ramp


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


def test_stored_arrays() -> None:
    arrays = segment(striped(), Superpixels(segments=24, colour_regions=3), seed=0)
    count = len(arrays["colours"])
    assert {name: (array.shape, array.dtype.name) for name, array in arrays.items()} == {
        "labels": ((48, 96), "uint16"),
        "colours": ((count, 3), "float32"),
        "regions": ((count,), "uint16"),
    }
    assert 12 <= count <= 30
    assert np.array_equal(np.unique(arrays["labels"]), np.arange(count))
    assert np.array_equal(np.unique(arrays["regions"]), np.arange(3))


def test_regions_are_the_colours_of_the_image() -> None:
    arrays = segment(striped(), Superpixels(segments=24, colour_regions=3), seed=0)
    regions = arrays["regions"][arrays["labels"]]
    middles = regions[:, [16, 48, 80]]  # inside each stripe
    assert (middles == middles[:1]).all()
    assert len(set(middles[0])) == 3


def test_mean_colours_are_cie_lab() -> None:
    image = np.zeros((2, 4, 3), np.uint8)
    image[:, 2:] = 255
    image[0, 2] = (255, 0, 0)
    labels = np.array([[0, 0, 1, 2], [0, 0, 2, 2]], np.uint16)
    expected = [[0, 0, 0], [53.24, 80.09, 67.20], [100, 0, 0]]
    np.testing.assert_allclose(mean_colours(image, labels), expected, atol=0.05)


def test_colours_are_those_of_scikit_image() -> None:
    """All greys, and random colours: each pixel a superpixel of its own."""
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    drawn = np.random.default_rng(0).integers(0, 256, (3840, 3)).astype(np.uint8)
    image = np.concatenate([greys, drawn]).reshape(64, 64, 3)
    labels = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    expected = rgb2lab(image).reshape(-1, 3)
    np.testing.assert_allclose(mean_colours(image, labels), expected, atol=1e-3)


def test_mean_colour_is_a_mean_over_pixels() -> None:
    image = np.zeros((1, 4, 3), np.uint8)
    image[0, 3] = 255  # L = 100
    labels = np.zeros((1, 4), np.uint16)
    np.testing.assert_allclose(mean_colours(image, labels), [[25, 0, 0]], atol=0.05)


@pytest.mark.parametrize("fallback", [False, True])
def test_superpixels_are_connected(monkeypatch: pytest.MonkeyPatch, fallback: bool) -> None:
    if fallback:
        without(monkeypatch, "fast_slic", "fast_slic.avx2")
    labels = slic(textured(1), 60, 10.0)
    assert 30 <= labels.max() + 1 <= 90
    assert connected_pieces(labels + 1, connectivity=1).max() == labels.max() + 1


@pytest.mark.parametrize("seed", range(4))
def test_threads_and_instructions_do_not_change_the_result(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    pytest.importorskip("fast_slic")
    image = textured(seed)
    expected = slic(image, 60, 10.0)
    assert len(np.unique(expected)) > 30
    for threads in (1, 2, 3, 8):
        assert np.array_equal(slic(image, 60, 10.0, threads), expected)
    monkeypatch.setattr(superpixels, "_has_avx2", lambda: False)
    assert np.array_equal(slic(image, 60, 10.0), expected)


def test_avx2_is_used_where_there_is_some(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fast_slic.avx2")
    monkeypatch.setattr(superpixels, "_has_avx2", lambda: True)
    assert superpixels._fast_slic().arch_name == "x64/avx2"
    without(monkeypatch, "fast_slic.avx2")
    assert superpixels._fast_slic().arch_name == "standard"
    without(monkeypatch, "fast_slic")
    assert superpixels._fast_slic() is None  # scikit-image takes over


def test_colour_regions_depend_on_the_seed_alone() -> None:
    colours = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    first = cluster_colours(colours, 8, seed=1)
    assert np.array_equal(np.unique(first), np.arange(8))
    for _ in range(3):
        assert np.array_equal(cluster_colours(colours, 8, seed=1), first)
    others = [cluster_colours(colours, 8, seed=seed) for seed in range(2, 8)]
    assert any(not np.array_equal(other, first) for other in others)


def test_close_colours_share_a_region() -> None:
    centres = np.array([[20, 0, 0], [80, 0, 0], [50, 60, 0], [50, -60, 0]], np.float32)
    owners = np.arange(40) % 4
    noise = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    regions = cluster_colours(centres[owners] + noise, 4, seed=0)
    assert len({(owner, region) for owner, region in zip(owners, regions, strict=True)}) == 4


@pytest.mark.parametrize("side", [1, 4, 16])
def test_small_and_flat_images(side: int) -> None:
    flat = np.full((side, side, 3), 90, np.uint8)
    arrays = segment(flat, Superpixels(segments=100, colour_regions=8), seed=0)
    assert arrays["labels"].shape == (side, side)
    assert len(arrays["colours"]) == arrays["labels"].max() + 1
    assert (arrays["regions"] == 0).all()
