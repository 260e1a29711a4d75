"""The procedural world: deterministic scenes with exact masks and a strength of co-occurrence."""

import hashlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from ssr.demo import scenes
from ssr.demo.scenes import Scene, make_scene, make_scenes
from ssr.demo.vocabulary import CLASSES, IGNORED, SIDE, STUFF

GOLDEN = "c046020f404ccc72f11abcfd73a9df22989b9131571cf1eb69ff248018206b08"


@pytest.fixture(scope="module")
def usual() -> list[Scene]:
    """Scenes as the demo has them."""
    return list(make_scenes(200, seed=5))


def digest(series: list[Scene]) -> str:
    total = hashlib.sha256()
    for scene in series:
        for part in (scene.image, scene.mask, scene.stuff):
            total.update(np.ascontiguousarray(part).tobytes())
    return total.hexdigest()


def test_scenes_never_change() -> None:
    """The shipped backbones and the documented figures belong to exactly these pixels."""
    assert digest([make_scene(2026, index) for index in range(8)]) == GOLDEN


def test_a_scene_depends_on_seed_index_and_correlation_alone() -> None:
    first, again = make_scene(1, 17, 0.5), make_scene(1, 17, 0.5)
    assert digest([first]) == digest([again])
    assert digest([first]) != digest([make_scene(2, 17, 0.5)])


def test_processes_change_nothing_and_longer_series_start_with_shorter_ones() -> None:
    alone = list(make_scenes(120, seed=3))
    assert digest(alone) == digest(list(make_scenes(120, seed=3, processes=2)))
    assert digest(alone[:20]) == digest(list(make_scenes(20, seed=3)))


def test_arrays_have_the_documented_form(usual: list[Scene]) -> None:
    for scene in usual[:50]:
        assert scene.image.shape == (SIDE, SIDE, 3)
        assert scene.mask.shape == scene.stuff.shape == (SIDE, SIDE)
        assert {a.dtype for a in (scene.image, scene.mask, scene.stuff)} == {np.dtype(np.uint8)}
        assert set(np.unique(scene.mask)) <= {*range(len(CLASSES) + 1), IGNORED}
        assert scene.stuff.max() < len(STUFF)


def test_image_labels_are_what_the_mask_shows(usual: list[Scene]) -> None:
    for scene in usual:
        shown = [name for i, name in enumerate(CLASSES) if (scene.mask == i + 1).any()]
        assert scene.objects == shown
        assert scene.objects


def test_scenes_without_objects_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty_at_three(seed: int, index: int, correlation: float) -> Scene:
        scene = make_scene(seed, index, correlation)
        return replace(scene, objects=[]) if index == 3 else scene

    monkeypatch.setattr(scenes, "make_scene", empty_at_three)
    kept = list(make_scenes(4, seed=5))
    assert digest(kept) == digest([make_scene(5, index) for index in (0, 1, 2, 4)])


def test_every_class_and_every_stuff_occurs(usual: list[Scene]) -> None:
    objects = Counter(name for scene in usual for name in scene.objects)
    backgrounds = Counter(name for scene in usual for name in scene.backgrounds)
    assert all(objects[name] >= 8 for name in CLASSES)
    assert all(backgrounds[name] >= 8 for name in STUFF)


def test_boats_are_on_water_only_where_correlation_asks_for_it(usual: list[Scene]) -> None:
    def share_on_water(series: list[Scene]) -> float:
        boats = [scene for scene in series if "boat" in scene.objects]
        return sum("water" in scene.backgrounds for scene in boats) / len(boats)

    assert share_on_water(usual) > 0.9
    assert share_on_water(list(make_scenes(200, seed=5, correlation=0.0))) < 0.75
