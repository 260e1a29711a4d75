"""Shard stores: the arrays of many images in one file, a zarr-v3 group inside an uncompressed zip.

`zarr.open(path)` reads a store, too. This module writes and reads the zarr files itself: that
costs a third of the time per image, needs no event loop (which a forked DataLoader worker would
inherit in an unknown state), and gives equal bytes for equal content in every version of zarr.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numcodecs import zstd

from ssr.artefacts.archives import ArchiveWriter, ImageArchives, write_entry
from ssr.artefacts.seals import broken
from ssr.errors import InputError

_METADATA = "zarr.json"
_ZSTD_LEVEL = 3
# Bytes of a compressed array. Superpixels, the largest, have two for each pixel of an image.
_LARGEST = 2**30


class ShardWriter(ArchiveWriter):
    """Write one shard; the file appears under its name only when the block ends without error.

    Args:
        path: the store, `*.zarr.zip`.
        attributes: JSON values that hold for every image of the store.
        compress: names of arrays to compress (zstd); the others can be read faster.
    """

    def __init__(
        self,
        path: str | Path,
        attributes: Mapping[str, Any] | None = None,
        compress: Collection[str] = (),
    ) -> None:
        super().__init__(path)
        self._attributes = dict(attributes or {})
        self._compress = frozenset(compress)
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        super().__enter__()
        self._write_json("", _group(self._attributes))
        return self

    def add(self, image_id: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Store numbers of any shape and NumPy type, each array as one chunk `{name}/{image_id}`.

        Raises:
            ValueError: the image already has an array of this name.
        """
        for name, array in arrays.items():
            if name not in self._names:
                self._names.add(name)
                self._write_json(f"{name}/", _group({}))
            self._write_array(f"{name}/{image_id}/", array, name in self._compress)

    def _write_array(self, folder: str, array: np.ndarray, compressed: bool) -> None:
        self._write_json(folder, _array(array, compressed))
        if array.size:
            little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            content = little.reshape(-1).view(np.uint8).data
            content = zstd.compress(content, _ZSTD_LEVEL) if compressed else content
            write_entry(self._archive, folder + _chunk_key(array.ndim), content)

    def _write_json(self, folder: str, metadata: Mapping[str, Any]) -> None:
        write_entry(self._archive, folder + _METADATA, json.dumps(metadata).encode())


class Shards(ImageArchives):
    """The images of many stores, read by id. Made by `open_shards`."""

    def __init__(self, paths: Sequence[str | Path]) -> None:
        super().__init__(paths)
        self._names: dict[str, tuple[str, ...]] = {}
        for number in range(len(paths)):
            self._list(number)
        self.attributes = self._common_attributes()

    def names(self, image_id: str) -> tuple[str, ...]:
        """Names of the arrays of one image."""
        self._store(image_id)
        return self._names[image_id]

    def read(self, image_id: str, name: str) -> np.ndarray:
        """One array, with the shape and type it was written with; writable, owned by the caller.

        Raises:
            InputError: no such image or name, or the store is damaged.
        """
        number = self._store(image_id)
        if name not in self._names[image_id]:
            raise broken(self._archives.paths[number], f"image {image_id} has no array {name}")
        folder = f"{name}/{image_id}/"
        shape, dtype, compressed = self._form(number, folder)
        size = math.prod(shape) * dtype.itemsize
        if not size:
            return np.empty(shape, dtype)
        content: bytes | bytearray
        content = self._archives.read(number, folder + _chunk_key(len(shape)))
        if compressed:
            content = self._decompress(number, folder, content, size)
        if len(content) != size:
            raise self._other_form(number, folder, f"{len(content)} bytes, wanted {size}")
        return np.frombuffer(content, dtype.newbyteorder("<")).reshape(shape).astype(dtype)

    def _form(self, number: int, folder: str) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
        """Shape, type and whether it is compressed, of an array of numbers."""
        metadata = self._metadata(number, folder)
        try:
            shape = tuple(map(operator.index, metadata["shape"]))
            compressed = any(codec["name"] == "zstd" for codec in metadata["codecs"])
            dtype = np.dtype(str(metadata["data_type"]))
        except (KeyError, TypeError, ValueError) as error:
            raise self._other_form(number, folder, repr(error)) from error
        if dtype.kind not in "biuf" or not all(0 <= side < 2**32 for side in shape):
            raise self._other_form(number, folder, f"{dtype} of shape {shape}")
        return shape, dtype, compressed

    def _decompress(
        self, number: int, folder: str, content: bytes | bytearray, size: int
    ) -> bytearray:
        """The `size` bytes behind `content`, of which a little may claim to be terabytes."""
        if size > _LARGEST:
            raise self._other_form(number, folder, f"{size} bytes, compressed; at most {_LARGEST}")
        room = bytearray(size)
        try:
            return zstd.decompress(content, room)
        except (RuntimeError, ValueError) as error:
            raise self._other_form(number, folder, error) from error

    def _other_form(self, number: int, folder: str, reason: object) -> InputError:
        return broken(self._archives.paths[number], f"{folder} is no array of numbers: {reason}")

    def _store(self, image_id: str) -> int:
        if image_id in self._stores:
            return self._stores[image_id]
        paths = self._archives.paths
        where = f"{paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        raise InputError(
            f"image {image_id} is not in {where if paths else 'an empty list of stores'}"
        )

    def _list(self, number: int) -> None:
        listed: dict[str, list[str]] = {}
        for key in self._archives.keys(number):
            name, _, rest = key.partition("/")
            image_id, _, file = rest.partition("/")
            if file == _METADATA:
                listed.setdefault(image_id, []).append(name)
        if twice := self._stores.keys() & listed.keys():
            path = self._archives.paths[number]
            raise InputError(f"{path}: image {min(twice)} is in another store, too")
        self._stores.update(dict.fromkeys(listed, number))
        self._names.update({image_id: tuple(names) for image_id, names in listed.items()})

    def _common_attributes(self) -> dict[str, Any]:
        """Attributes of the stores: they must agree, or results of two settings would mix."""
        paths = self._archives.paths
        found = [self._metadata(number, "")["attributes"] for number in range(len(paths))]
        for path, attributes in zip(paths, found, strict=True):
            if attributes != found[0]:
                raise broken(path, f"has other attributes than {paths[0]}")
        return found[0] if found else {}

    def _metadata(self, number: int, folder: str) -> dict[str, Any]:
        try:
            metadata = json.loads(self._archives.read(number, folder + _METADATA))
            metadata["attributes"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._other_form(number, folder, repr(error)) from error
        return metadata


def open_shards(paths: Sequence[str | Path]) -> Shards:
    """Open stores for reading: only their tables of contents are read now.

    The result can be pickled and used in forked processes; each opens the files anew.

    Raises:
        InputError: a store is missing, cut short, repeats an image of another one, or was written
            with other attributes.
    """
    return Shards(paths)


def _group(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes}


def _array(array: np.ndarray, compressed: bool) -> dict[str, Any]:
    """zarr-v3 metadata of an array that is one chunk."""
    codecs: list[dict[str, Any]] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    if compressed:
        options = {"level": _ZSTD_LEVEL, "checksum": False}
        codecs.append({"name": "zstd", "configuration": options})
    chunk = [max(side, 1) for side in array.shape]
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(array.shape),
        "data_type": array.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": array.dtype.type(0).item(),
        "codecs": codecs,
        "attributes": {},
    }


def _chunk_key(dimensions: int) -> str:
    return "/".join(["c", *["0"] * dimensions])
