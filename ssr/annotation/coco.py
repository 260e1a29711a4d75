"""COCO: one JSON of instances, each of them a class of an image as compressed run lengths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from ssr.annotation.labelled import LabelledImage, painted, present, understood
from ssr.artefacts.files import replacing
from ssr.data.findings import Findings
from ssr.data.instances import draw_mask, read_categories, read_instances
from ssr.errors import InputError

FILE = "instances.json"


def write(folder: Path, images: Iterable[LabelledImage], classes: Sequence[str]) -> None:
    """Write instances.json: an instance for each class that an image shows, and for `ignore`."""
    index = painted(classes)
    content: dict[str, list[dict[str, Any]]] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": value, "name": name} for name, value in index.items()],
    }
    instances = content["annotations"]
    for number, image in enumerate(images, start=1):
        height, width = image.labels.shape
        content["images"].append(
            {"id": number, "file_name": image.name, "height": height, "width": width}
        )
        for name, pixels in present(image.labels, classes).items():
            own = {"id": len(instances) + 1, "image_id": number, "category_id": index[name]}
            instances.append(own | _instance(pixels))
    with replacing(folder / FILE) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _instance(pixels: NDArray[np.bool_]) -> dict[str, Any]:
    outline = rle.encode(np.asfortranarray(pixels, np.uint8))
    return {
        "segmentation": {"size": outline["size"], "counts": outline["counts"].decode()},
        "area": int(rle.area(outline)),
        "bbox": rle.toBbox(outline).tolist(),
        "iscrowd": 0,
    }


def read(path: Path, classes: Sequence[str], findings: Findings) -> Iterator[LabelledImage]:
    """The masks of an instances file: of two objects the smaller is in front.

    Outlines are polygons or run lengths. An image without an object is all background.

    Raises:
        InputError: it is no such file.
    """
    names, _ = read_categories(path)
    known = understood(classes)
    for scene in read_instances(path, names):
        shown = [names[number - 1] for number in scene.classes]
        if unknown := sorted({*shown} - known.keys()):
            findings.problem("label that is no class", f"{', '.join(unknown)} ({scene.id})")
            continue
        try:
            drawn = draw_mask(replace(scene, classes=tuple(known[name] for name in shown)))
        except InputError as error:
            findings.problem("image whose mask cannot be drawn", str(error))
        else:
            yield LabelledImage(scene.id, drawn)
