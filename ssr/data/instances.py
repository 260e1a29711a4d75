"""Image-level labels and index masks from a COCO instances file, read through pycocotools.

Class indices are the category ids in ascending order: COCO's 90 ids become 80 indices. Every
annotation counts, single objects and crowds alike. Where they overlap, the smaller one is seen: a
cup stands before its table. An image without an annotation has no label and a mask of background.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle
from pycocotools.coco import COCO

from ssr.artefacts.files import replacing
from ssr.data.findings import Findings
from ssr.data.ids import ALLOWED, is_plain
from ssr.data.outlines import compress
from ssr.data.pngs import PngWriter, encode_png
from ssr.errors import InputError
from ssr.labels import BACKGROUND, IGNORE
from ssr.running.processes import map_in_processes
from ssr.running.progress import progress

_MASKS_PER_TASK = 64
# Pixels of an image; PIL refuses larger ones, too.
_LARGEST = 178_956_970
# VOC's names of some of COCO's categories.
_SPELLINGS = {
    "motorcycle": "motorbike",
    "airplane": "aeroplane",
    "couch": "sofa",
    "potted plant": "pottedplant",
    "dining table": "diningtable",
    "tv": "tvmonitor",
}


@dataclass(frozen=True)
class Scene:
    """An image and what it shows: ids, class indices (from 1) and outlines of its annotations.

    Outlines are those of COCO, see `ssr.data.outlines`; None where an annotation has none.
    """

    id: str
    height: int
    width: int
    annotations: tuple[Any, ...]
    classes: tuple[int, ...]
    outlines: tuple[Any, ...]


def read_categories(path: str | Path) -> tuple[list[str], bool]:
    """Names of the categories in ascending order of their ids; whether all annotations are drawn.

    Raises:
        InputError: the file is missing, or no instances file.
    """
    coco = _read(path)
    try:
        names = [str(coco.cats[category]["name"]) for category in sorted(coco.cats)]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: a category has no valid name or id ({error})") from error
    return names, all(annotation.get("segmentation") for annotation in coco.anns.values())


def read_scenes(path: str | Path, classes: Sequence[str]) -> list[Scene]:
    """The images of an instances file that is part of a data set.

    Raises:
        InputError: as `read_instances`, or an image's name can't be that of a mask.
    """
    scenes = read_instances(path, classes)
    for scene in scenes:
        if not is_plain(scene.id) or len(scene.id.split()) > 1:
            raise InputError(f"{path}: image id {scene.id!a}: wanted {ALLOWED}, no space")
    return scenes


def read_instances(path: str | Path, classes: Sequence[str]) -> list[Scene]:
    """The images of an instances file, in the order of their ids.

    Args:
        path: of the file.
        classes: names of the categories in ascending order of their ids; VOC's spellings will do.

    Raises:
        InputError: the file is missing, no instances file, of other categories, or names an image
            twice.
    """
    coco = _read(path)
    try:
        _check_categories(path, coco, classes)
        index = {category: number for number, category in enumerate(sorted(coco.cats), start=1)}
        scenes = [_scene(image, coco.imgToAnns[image["id"]], index) for image in coco.imgs.values()]
    except KeyError as error:
        raise InputError(
            f"{path}: an image, category or annotation has no valid {error}"
        ) from error
    except TypeError as error:
        raise InputError(f"{path}: ids or names are not all of one kind ({error})") from error
    if twice := [name for name, count in Counter(s.id for s in scenes).items() if count > 1]:
        raise InputError(f"{path}: two images are called {twice[0]}")
    return sorted(scenes, key=lambda scene: scene.id)


def write_labels(path: str | Path, scenes: Sequence[Scene]) -> None:
    """Write the labels as lines `id index index …`, indices from 0 and ascending."""
    rows = ((scene.id, *sorted({number - 1 for number in scene.classes})) for scene in scenes)
    with replacing(path) as temporary:
        temporary.write_text("".join(f"{' '.join(map(str, row))}\n" for row in rows))


def write_masks(path: str | Path, scenes: Sequence[Scene], processes: int) -> None:
    """Draw the mask of each scene and write all to one zip file of index PNGs.

    Raises:
        InputError: all masks that cannot be drawn in one report; no file appears.
    """
    findings = Findings()
    drawn = map_in_processes(_draw_png, scenes, processes, chunk=_MASKS_PER_TASK)
    with PngWriter(path) as writer:
        for scene, png in zip(scenes, progress(drawn, len(scenes), "drawing masks"), strict=True):
            if isinstance(png, InputError):
                findings.problem("image whose mask cannot be drawn", str(png))
            else:
                writer.add_encoded(scene.id, png)
        findings.raise_problems(Path(path).stem)


def draw_mask(scene: Scene) -> NDArray[np.uint8]:
    """Class indices (height, width) of a scene, drawn from the largest area to the smallest.

    Of two equally large ones, the later annotation is seen.

    Raises:
        InputError: the size of the image is none, or an outline cannot be drawn.
    """
    sides = (scene.height, scene.width)
    if not all(isinstance(side, int) and side > 0 for side in sides) or math.prod(sides) > _LARGEST:
        raise InputError(f"{scene.id} cannot be drawn: it has {sides[0]}×{sides[1]} pixels")
    shapes = [_compress(scene, number) for number in range(len(scene.outlines))]
    areas = [int(rle.area(shape)) for shape in shapes]
    mask = np.full(sides, BACKGROUND, np.uint8)
    for number in sorted(range(len(shapes)), key=lambda number: -areas[number]):
        mask[rle.decode(shapes[number]) == 1] = scene.classes[number]
    return mask


def _draw_png(scene: Scene) -> bytes | InputError:
    try:
        return encode_png(draw_mask(scene))
    except InputError as error:
        return error


def _compress(scene: Scene, number: int) -> Any:
    try:
        return compress(scene.outlines[number], scene.height, scene.width)
    # pycocotools raises bare exceptions, and an outline may be anything that JSON can be.
    except Exception as error:
        name = f"annotation {scene.annotations[number]!a} of {scene.id}"
        raise InputError(f"{name} cannot be drawn ({error})") from error


def _read(path: str | Path) -> COCO:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            coco = COCO(str(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; it describes the images of a split") from None
    except (OSError, ValueError, KeyError, TypeError, AssertionError, RecursionError) as error:
        raise InputError(f"{path}: is no instances file of COCO ({error})") from error
    if not coco.imgs or not coco.cats:
        raise InputError(f"{path}: names no images or no categories")
    return coco


def _check_categories(path: str | Path, coco: COCO, classes: Sequence[str]) -> None:
    names = [coco.cats[category]["name"] for category in sorted(coco.cats)]
    if len(names) != len(classes):
        raise InputError(f"{path}: has {len(names)} categories, data.classes has {len(classes)}")
    for name, wanted in zip(names, classes, strict=True):
        if wanted not in (name, _SPELLINGS.get(name)):
            raise InputError(
                f"{path}: data.classes must follow its categories by id; {name!r} is {wanted!r}"
            )
    if len(names) >= IGNORE:
        raise InputError(f"{path}: has {len(names)} categories, at most {IGNORE - 1} can be drawn")


def _scene(
    image: Mapping[str, Any], annotations: Sequence[Mapping[str, Any]], index: Mapping[int, int]
) -> Scene:
    ordered = sorted(annotations, key=lambda annotation: annotation["id"])
    return Scene(
        PurePosixPath(image["file_name"]).stem,
        image["height"],
        image["width"],
        tuple(annotation["id"] for annotation in ordered),
        tuple(index[annotation["category_id"]] for annotation in ordered),
        tuple(annotation.get("segmentation") for annotation in ordered),
    )
