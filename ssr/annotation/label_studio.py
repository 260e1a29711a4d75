"""Label Studio: one JSON of tasks, whose masks are brush strokes, and its labelling interface."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from ssr.annotation import brush
from ssr.annotation.json_files import read_json
from ssr.annotation.labelled import LabelledImage, painted, present, understood
from ssr.artefacts.files import replacing
from ssr.data.findings import Findings
from ssr.data.images import SUFFIXES
from ssr.data.outlines import compress
from ssr.data.pngs import voc_palette
from ssr.errors import InputError

FILE, INTERFACE = "tasks.json", "interface.xml"
_LOCAL = "/data/local-files/?d="
_CONTROL, _IMAGE = "label", "image"
# Label Studio puts eight digits in front of the name of a file that is uploaded.
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")


def write(folder: Path, images: Iterable[LabelledImage], classes: Sequence[str]) -> None:
    """Write tasks.json, whose predictions are to be corrected, and interface.xml."""
    tasks = [
        {
            "data": _data(image),
            "predictions": [{"model_version": "ssr", "result": _results(image.labels, classes)}],
        }
        for image in images
    ]
    with replacing(folder / FILE) as temporary:
        temporary.write_text(json.dumps(tasks), encoding="utf-8")
    with replacing(folder / INTERFACE) as temporary:
        _interface(classes).write(temporary, encoding="utf-8")


def _data(image: LabelledImage) -> dict[str, Any]:
    """The address of an image below the folder that Label Studio serves, and its size."""
    height, width = image.labels.shape
    return {_IMAGE: _LOCAL + quote(image.name), "height": height, "width": width}


def _results(labels: NDArray[np.uint8], classes: Sequence[str]) -> list[dict[str, Any]]:
    height, width = labels.shape
    return [
        {
            "id": f"ssr{painted(classes)[name]}",
            "type": "brushlabels",
            "from_name": _CONTROL,
            "to_name": _IMAGE,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {"format": "rle", "rle": brush.encode(pixels), "brushlabels": [name]},
        }
        for name, pixels in present(labels, classes).items()
    ]


def _interface(classes: Sequence[str]) -> ElementTree.ElementTree:
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name=_IMAGE, value=f"${_IMAGE}", zoom="true")
    control = ElementTree.SubElement(view, "BrushLabels", name=_CONTROL, toName=_IMAGE)
    for name, index in painted(classes).items():
        red, green, blue = voc_palette()[index].tolist()
        colour = f"#{red:02x}{green:02x}{blue:02x}"
        ElementTree.SubElement(control, "Label", value=name, background=colour)
    ElementTree.indent(view)
    return ElementTree.ElementTree(view)


def read(path: Path, classes: Sequence[str], findings: Findings) -> Iterator[LabelledImage]:
    """The masks of tasks that were exported as JSON: brush strokes and polygons, the last in front.

    A task without an annotation is left out, which is said.

    Raises:
        InputError: it is no such file.
    """
    try:
        tasks = [(task["data"], image_of(task["data"]), _told(task)) for task in read_json(path)]
    except (LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: is no export of Label Studio as JSON (not JSON-MIN): {error!r}"
        ) from error
    for data, name, told in tasks:
        if not told:
            findings.warning("image that nobody has annotated, not used", name)
        elif len(told) > 1:
            findings.problem("image with several annotations, of which one has to be left", name)
        else:
            try:
                yield LabelledImage(name, _drawn(data, told[0], understood(classes)))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                findings.problem("image whose mask cannot be drawn", f"{name} ({error})")


def _told(task: Mapping[str, Any]) -> list[Any]:
    """What each annotation says that was not cancelled."""
    return [each["result"] for each in task["annotations"] if not each.get("was_cancelled")]


def _drawn(
    data: Mapping[str, Any], results: Sequence[Mapping[str, Any]], known: Mapping[str, int]
) -> NDArray[np.uint8]:
    """The label map of a task.

    Raises:
        ValueError: what is painted is no class, of unknown size, or can't be drawn.
    """
    shapes = [each for each in results if each["type"].endswith("labels")]
    sizes = {(each["original_height"], each["original_width"]) for each in shapes}
    sizes = sizes or {(data.get("height"), data.get("width"))}
    (height, width), *others = sizes
    if others or not height or not width:
        raise ValueError("its size is not told")
    labels = np.zeros((height, width), np.uint8)
    for shape in shapes:
        (name, *more) = shape["value"].get(shape["type"]) or ("nothing",)
        if more or name not in known:
            raise ValueError(f"{' and '.join([name, *more])} is no class")
        labels[_pixels(shape, height, width)] = known[name]
    return labels


def _pixels(shape: Mapping[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    value = shape["value"]
    if shape.get("image_rotation"):
        raise ValueError("it was rotated")
    if shape["type"] == "brushlabels":
        return brush.decode(value["rle"], height, width)
    if shape["type"] == "polygonlabels":
        corners = np.array(value["points"]) * (width / 100, height / 100)
        outline = compress([corners.ravel().tolist()], height, width)
        return np.asarray(rle.decode(outline), np.bool_)
    raise ValueError(f"wanted brush strokes or polygons, came {shape['type']}")


def image_of(data: Mapping[str, Any]) -> str:
    """The file name of an image, out of the path or address in the data of a task.

    Raises:
        LookupError: there is none.
    """
    for value in data.values():
        address = urlsplit(str(value))
        place = parse_qs(address.query).get("d", [unquote(address.path)])[0]
        if PurePosixPath(place).suffix.lower() in SUFFIXES:
            return PurePosixPath(place).name
    raise LookupError(f"no image in {data!a}")


def before_upload(name: str) -> str:
    """The name that a file had before it was uploaded."""
    return _UPLOADED.sub("", name)
