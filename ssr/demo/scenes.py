"""Composes scenes: which objects meet on which background, and where they stand.

A scene is a function of (seed, index, correlation) alone. With correlation 1 objects stand where
they usually do (a boat on water), which is what makes weak supervision hard; with 0 anywhere.
The order of random draws is part of a scene's identity: do not reorder them.
"""

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as count_from
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ssr.demo.noise import Floats
from ssr.demo.objects import Placement, draw_object
from ssr.demo.stuff import PAINTERS
from ssr.demo.vocabulary import CLASSES, IGNORED, SIDE, STUFF

KINDS = ("air", "sea", "street", "field", "beach", "room")
# class -> probability of the kinds of scene that it usually stands in
USUAL: dict[str, dict[str, float]] = {
    "aeroplane": {"air": 0.6, "street": 0.2, "field": 0.2},
    "bird": {"air": 0.4, "field": 0.2, "beach": 0.2, "sea": 0.2},
    "boat": {"sea": 0.95, "beach": 0.05},
    "bottle": {"room": 0.85, "beach": 0.15},
    "bus": {"street": 0.95, "field": 0.05},
    "car": {"street": 0.85, "beach": 0.08, "field": 0.07},
    "chair": {"room": 0.92, "field": 0.08},
    "cow": {"field": 0.9, "beach": 0.1},
    "horse": {"field": 0.7, "beach": 0.3},
    "sofa": {"room": 1.0},
}
# kind -> lowest and highest horizon as a share of the height
HORIZONS = {
    "sea": (0.25, 0.6),
    "field": (0.15, 0.55),
    "street": (0.25, 0.55),
    "beach": (0.2, 0.5),
    "room": (0.45, 0.75),
}
AIRBORNE = ("aeroplane", "bird")
SMALL = ("bottle", "bird")
LEAST_OBJECT = 40
LEAST_STUFF = 200
SCENES_PER_JOB = 100
Band = tuple[str, int, int]


@dataclass(frozen=True)
class Scene:
    """A picture and everything that is true of it.

    image (112, 112, 3) uint8; mask (112, 112) uint8 with 0 background, 1..10 index into CLASSES
    plus 1, 255 slivers of under 40 pixels; stuff (112, 112) uint8 index into STUFF, also behind
    objects; objects and backgrounds: what is visible, in the order of CLASSES and STUFF; kind: one
    of KINDS.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    stuff: NDArray[np.uint8]
    objects: list[str]
    backgrounds: list[str]
    kind: str


def _cast(generator: np.random.Generator, correlation: float) -> tuple[str, list[str]]:
    """The kind of scene and one to three objects that can stand in it."""
    free = generator.random() > correlation
    first = CLASSES[int(generator.integers(len(CLASSES)))]
    kind = str(generator.choice(list(USUAL[first]), p=list(USUAL[first].values())))
    if free:
        kind = str(generator.choice(KINDS))
    number = int(generator.choice([1, 2, 3], p=[0.42, 0.37, 0.21]))
    weights = np.array([USUAL[name].get(kind, 0.0) for name in CLASSES])
    weights[CLASSES.index(first)] *= 0.4
    others = generator.choice(len(CLASSES), number - 1, p=weights / weights.sum())
    return kind, [first, *(CLASSES[int(other)] for other in others)]


def _horizon(generator: np.random.Generator, kind: str) -> int:
    # all are drawn, so that changing one range leaves the rest of a scene as it was
    rows = {k: int(SIDE * generator.uniform(*limits)) for k, limits in HORIZONS.items()}
    return rows.get(kind, SIDE)


def _bands(generator: np.random.Generator, kind: str, horizon: int) -> list[Band]:
    """Stuff from top to bottom, as (name, first row, row behind the last)."""
    if kind == "air":
        return [("sky", 0, SIDE)]
    above: Band = ("sky", 0, horizon)
    if kind == "sea":
        return [above, ("water", horizon, SIDE)]
    if kind == "field":
        return [above, ("grass", horizon, SIDE)]
    if kind == "street":
        if generator.random() >= 0.75:
            return [above, ("grass", horizon, horizon + 10), ("road", horizon + 10, SIDE)]
        built = "sky" if generator.random() < 0.65 else "wall"
        return [(built, 0, horizon), ("road", horizon, SIDE)]
    if kind == "beach":
        if generator.random() < 0.5:
            return [above, ("sand", horizon, SIDE)]
        return [above, ("water", horizon, horizon + 14), ("sand", horizon + 14, SIDE)]
    return [("wall", 0, horizon), ("floor", horizon, SIDE)]


def _paint_background(
    generator: np.random.Generator, bands: list[Band]
) -> tuple[Floats, NDArray[np.uint8]]:
    image = np.zeros((SIDE, SIDE, 3), np.float32)
    stuff = np.zeros((SIDE, SIDE), np.uint8)
    for name, top, bottom in bands:
        image[top:bottom] = PAINTERS[name](generator, bottom - top, SIDE)
        stuff[top:bottom] = STUFF.index(name)
    return image, stuff


def _place(
    generator: np.random.Generator, name: str, kind: str, horizon: int, alone: bool
) -> Placement:
    draw = generator.uniform
    half = SIDE * draw(0.24, 0.46) * (1.0 if alone else 0.85) * (0.8 if name in SMALL else 1.0)
    x = draw(0.15, 0.85) * SIDE
    if name in AIRBORNE and (kind == "air" or generator.random() < 0.6):
        lowest = 0.8 if kind == "air" else max(0.2, horizon / SIDE)
        return Placement(-1, name, x, draw(0.2 if kind == "air" else 0.12, lowest) * SIDE, half)
    foot = draw(min(max(horizon + 8, 0.5 * SIDE), 0.9 * SIDE), SIDE * 1.03)
    return Placement(foot, name, x, foot - half * 0.75, half)


def _arrange(
    generator: np.random.Generator, names: list[str], kind: str, horizon: int
) -> list[Placement]:
    """Placements from back to front; several objects are spread over the width."""
    number = len(names)
    places = [_place(generator, name, kind, horizon, number == 1) for name in names]
    if number > 1:
        free = np.sort(generator.uniform(0.1, 0.9, number))
        columns = np.linspace(0.2, 0.8, number) * 0.6 + free * 0.4
        generator.shuffle(columns)
        places = [
            Placement(p.depth, p.name, x * SIDE, p.y, p.half)
            for p, x in zip(places, columns, strict=True)
        ]
    return sorted(places, key=lambda place: place.depth)


def _cast_shadow(image: Floats, place: Placement) -> None:
    foot = int(place.y + place.half * 0.8)
    rows, columns = np.ogrid[:SIDE, :SIDE]
    across = ((columns - place.x) / (place.half * 0.9)) ** 2
    shadow = np.exp(-(across + ((rows - foot) / (place.half * 0.14 + 1)) ** 2))
    image *= (1 - 0.35 * shadow)[..., None].astype(np.float32)


def _expose(generator: np.random.Generator, image: Floats) -> NDArray[np.uint8]:
    """Light falling off, exposure, white balance and sensor noise."""
    draw = generator.uniform
    ramp = np.linspace(-1, 1, SIDE, dtype=np.float32)
    light = 1 + draw(-0.12, 0.12) * ramp[None] + draw(-0.12, 0.12) * ramp[:, None]
    exposed = image * (light * draw(0.8, 1.15))[..., None]
    exposed = exposed * draw(0.94, 1.06, 3).astype(np.float32)
    grain = generator.standard_normal((SIDE, SIDE, 3), dtype=np.float32)
    return np.clip(exposed + grain * draw(2, 8), 0, 255).astype(np.uint8)


def make_scene(seed: int, index: int, correlation: float = 1.0) -> Scene:
    """The scene of a seed and an index; it may show no object at all (`make_scenes` skips those).

    correlation in 0..1 is the probability that the first object stands where it usually does.
    """
    generator = np.random.default_rng([seed, index])
    kind, names = _cast(generator, correlation)
    horizon = _horizon(generator, kind)
    image, stuff = _paint_background(generator, _bands(generator, kind, horizon))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for place in _arrange(generator, names, kind, horizon):
        if place.depth > 0:
            _cast_shadow(image, place)
        draw_object(generator, image, mask, place)
    picture = _expose(generator, image)
    areas = np.bincount(mask.ravel(), minlength=len(CLASSES) + 1)[1:]
    objects = [name for name, area in zip(CLASSES, areas, strict=True) if area >= LEAST_OBJECT]
    mask[(mask > 0) & (np.append(LEAST_OBJECT, areas)[mask] < LEAST_OBJECT)] = IGNORED
    visible = np.bincount(stuff[mask == 0], minlength=len(STUFF))
    backgrounds = [name for name, area in zip(STUFF, visible, strict=True) if area >= LEAST_STUFF]
    return Scene(picture, mask, stuff, objects, backgrounds, kind)


def _make_job(job: tuple[int, int, float]) -> list[Scene]:
    seed, first, correlation = job
    scenes = (make_scene(seed, first + i, correlation) for i in range(SCENES_PER_JOB))
    return [scene for scene in scenes if scene.objects]


def make_scenes(
    count: int, seed: int, correlation: float = 1.0, processes: int = 1
) -> Iterator[Scene]:
    """The first `count` scenes of a seed that show an object, in the order of their index.

    Scenes without any visible object (fewer than one in a thousand) are skipped and later ones
    follow up, so a longer series starts with the shorter one. The number of processes changes
    nothing.
    """
    jobs = ((seed, first, correlation) for first in count_from(0, SCENES_PER_JOB))
    if processes == 1:
        found = (scene for job in jobs for scene in _make_job(job))
        yield from islice(found, count)
        return
    needed = islice(jobs, 2 * count // SCENES_PER_JOB + 4)
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        yield from islice((s for job in pool.imap(_make_job, needed) for s in job), count)
