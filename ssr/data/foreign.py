"""Class activation maps that another system saved, brought to the form of ours.

In: for each image a dict or an array of numpy, or a PNG for each of its classes, in one of the
forms of docs/foreign_cams.md; which, is told by what is in a file. Out: a map for each label of the
image, in their order, checked. Shapes: K labels of an image, C classes of the data set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssr.config import Foreign
from ssr.data.findings import Findings
from ssr.data.images import open_image
from ssr.data.index import Image
from ssr.data.pickled_arrays import is_pickled, read_pickled_arrays
from ssr.errors import InputError

Maps = NDArray[np.float32]
# Entries that number the classes of the maps beside them.
_KEYS = ("keys", "keys_gt")
# An array of an .npz that claims more bytes is none of these maps.
_LARGEST = 2**30
# A map lies on its side where its height by width is so many times nearer to that of its image
# turned by 90 degrees: the cells of a coarse one may be a little off.
_TURNED = log(1.25)


def list_files(
    source: Foreign, classes: Sequence[str], ids: Sequence[str]
) -> tuple[Path, list[str]]:
    """The folder of the files of some images, and their names in it, of which some may be missing.

    Of pictures, a file for each class, only those are named that are there.
    """
    path = Path(source.path)
    if path.suffix == ".npz":
        return path.parent, [path.name]
    if source.format != "png":
        suffix = "png" if source.format == "predictions" else source.format
        return path, [f"{image_id}.{suffix}" for image_id in ids]
    names = {name: _names(path / name) for name in classes}
    found = [f"{name}/{i}.png" for name in classes for i in ids if f"{i}.png" in names[name]]
    return path, found


@cache
def _names(folder: Path) -> frozenset[str]:
    return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()


class ForeignCams:
    """The maps of another system, image by image.

    Args:
        source: where they are, and in which form.
        classes: of the data set, in the order of their index.
    """

    def __init__(self, source: Foreign, classes: Sequence[str]) -> None:
        self._source = source
        self._classes = classes
        self._archive: Any = None

    def read(self, image: Image, findings: Findings) -> Maps | None:
        """A raw map (K, h, w) for each label; nothing where `findings` take what is wrong."""
        try:
            maps = self._maps(image)
        except FileNotFoundError as error:
            findings.problem("image without its file", str(error))
        except InputError as error:
            findings.problem("file that cannot be used", str(error))
        else:
            if not np.isfinite(maps).all():
                findings.problem("file with values that are no finite numbers", image.id)
            elif _lies_on_its_side(maps, image):
                size = f"{maps.shape[1]}×{maps.shape[2]} of {image.height}×{image.width}"
                findings.problem("map that lies on its side", f"{image.id} ({size})")
            else:
                if (np.ptp(maps, axis=(1, 2)) == 0).any():
                    findings.warning("image with a map of one value everywhere", image.id)
                return maps
        return None

    def _maps(self, image: Image) -> Maps:
        if self._source.format == "png":
            return self._of_pictures(image)
        arrays = self._arrays(image.id)
        try:
            keys, maps = _keys_and_maps(arrays, self._source)
            places = _places(image.labels, keys, len(maps), len(self._classes))
        except InputError as error:
            raise InputError(f"{image.id}: {error}") from None
        return maps[places].astype(np.float32)

    def _arrays(self, image_id: str) -> Mapping[Any, NDArray[Any]]:
        """What the file of an image holds; an array without a name has the name of the image."""
        path = Path(self._source.path)
        if path.suffix == ".npz":
            return {image_id: self._of_archive(path, image_id)}
        path /= f"{image_id}.{self._source.format}"
        if not path.is_file():
            raise FileNotFoundError(path.name)
        if self._source.format == "npz":
            with _load(path) as file:
                return {name: _entry(file, name) for name in file.files}
        if _is_pickled(path):
            return read_pickled_arrays(path)
        return {image_id: _load(path)}

    def _of_archive(self, path: Path, image_id: str) -> NDArray[Any]:
        if self._archive is None:
            if not path.is_file():
                raise InputError(f"{path}: no such file")
            self._archive = _load(path)
        if image_id not in self._archive.files:
            raise FileNotFoundError(image_id)
        return _entry(self._archive, image_id)

    def _of_pictures(self, image: Image) -> Maps:
        maps = [self._picture(self._classes[label - 1], image.id) for label in image.labels]
        sizes = {one.shape for one in maps}
        if len(sizes) > 1:
            raise InputError(f"{image.id}: maps of several sizes, {sorted(sizes)}")
        return np.stack(maps)

    def _picture(self, name: str, image_id: str) -> NDArray[np.float32]:
        path = Path(self._source.path, name, f"{image_id}.png")
        if not path.is_file():
            raise FileNotFoundError(f"{name}/{path.name}")
        with open_image(path) as picture:
            if picture.mode != "L" and not picture.mode.startswith("I"):
                raise InputError(f"{path}: wanted a greyscale PNG, came mode {picture.mode}")
            return np.asarray(picture).astype(np.float32)


def _load(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except Exception as error:  # a damaged file can make its reader raise nearly anything
        raise InputError(f"{path}: cannot be read as arrays of numpy ({error})") from error


def _entry(file: Any, name: str) -> NDArray[Any]:
    try:
        size = file.zip.getinfo(f"{name}.npy").file_size
        if size > _LARGEST:
            raise InputError(f"{name} has {size} bytes, at most {_LARGEST} are read")
        array: NDArray[Any] = file[name]
        return array
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{name} cannot be read ({error})") from error


def _is_pickled(path: Path) -> bool:
    try:
        return is_pickled(path)
    except ValueError as error:
        raise InputError(f"{path}: is no file of numpy ({error})") from error


def _keys_and_maps(
    arrays: Mapping[Any, NDArray[Any]], source: Foreign
) -> tuple[list[int] | None, NDArray[Any]]:
    """Numbers of the classes of the maps, if the file has such, and the maps (n, h, w)."""
    keys, maps = None, None
    if arrays and all(isinstance(key, int) for key in arrays):
        keys, maps = [*arrays], _stacked([*arrays.values()])
    else:
        maps = _chosen(arrays, source.entry)
        named = [name for name in _KEYS if name in arrays]
        keys = [int(key) for key in arrays[named[0]].ravel()] if named else None
    if maps.dtype.kind not in "biuf" or not maps.size:
        raise InputError(f"wanted maps of numbers, came {maps.dtype} of shape {maps.shape}")
    return (None, _softmax(maps)) if source.logits else (keys, maps)


def _stacked(maps: Sequence[NDArray[Any]]) -> NDArray[Any]:
    shapes = {one.shape for one in maps}
    if len(shapes) > 1 or len(maps[0].shape) != 2:
        raise InputError(f"wanted maps (h, w) of one size, came {sorted(shapes)}")
    return np.stack(maps)


def _chosen(arrays: Mapping[Any, NDArray[Any]], entry: str | None) -> NDArray[Any]:
    """The maps that `entry` names, or else the largest."""
    several = {str(name): _without_batch(array) for name, array in arrays.items()}
    offered = {name: array for name, array in several.items() if array.ndim == 3}
    if entry in offered:
        return offered[entry]
    if entry is not None or not offered:
        wanted = "arrays (n, h, w)" if entry is None else f"{entry} (n, h, w)"
        held = ", ".join(f"{name} {array.shape}" for name, array in several.items())
        raise InputError(f"wanted {wanted}, came {held or 'nothing'}")
    largest = max(array.size for array in offered.values())
    names = [name for name, array in offered.items() if array.size == largest]
    if len(names) > 1:
        raise InputError(f"holds {' and '.join(names)}, equally large; entry must name one")
    return offered[names[0]]


def _without_batch(array: NDArray[Any]) -> NDArray[Any]:
    return array[0] if array.ndim == 4 and len(array) == 1 else array


def _softmax(logits: NDArray[Any]) -> Maps:
    powers = np.exp(logits.astype(np.float32) - logits.max(0))
    return powers / powers.sum(0)


def _places(
    labels: Sequence[int], keys: Sequence[int] | None, count: int, classes: int
) -> list[int]:
    """Where the map of each of `labels`, 1..C, stands among `count` maps.

    Without `keys`, maps are of the labels, of all classes, or of the background and all classes.
    With them they are of exactly the labels, numbered from 0, or of the background as 0 and the
    labels from 1. Both can't be: the one has a number more.
    """
    if keys is None:
        places = {len(labels): range(len(labels)), classes: [each - 1 for each in labels]}
        places[classes + 1] = labels
        if count not in places:
            raise InputError(
                f"{count} maps; wanted {len(labels)}, of its labels, or {classes} or "
                f"{classes + 1}, of all classes without or with the background"
            )
        return [*places[count]]
    if count == len(keys) + 1:  # the background stands in front, without a number
        keys = [-1, *keys]
    place = {key: number for number, key in enumerate(keys)}
    if count == len(keys) == len(place):
        for first, background in ((0, set()), (0, {-1}), (1, {0})):
            wanted = [label - 1 + first for label in labels]
            if {*keys} == {*wanted, *background}:
                return [place[key] for key in wanted]
    raise InputError(
        f"{count} maps of classes {[*keys]}; its labels are {[label - 1 for label in labels]}, "
        "from 0 (data.labels_file takes the labels of that system)"
    )


def _lies_on_its_side(maps: Maps, image: Image) -> bool:
    """Whether maps have the shape of their image turned by 90 degrees, rather than its own."""
    own, wanted = log(maps.shape[1] / maps.shape[2]), log(image.height / image.width)
    return abs(own + wanted) + _TURNED < abs(own - wanted)
