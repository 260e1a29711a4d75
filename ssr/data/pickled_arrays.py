"""Read an .npy file that holds a pickled dict of vectors, without running what the pickle says.

A pickle may name any function and have it called. Here only the few names that rebuild numpy arrays
are known, and each of them stands for a harmless class of this module; any other name is refused.
"""

from __future__ import annotations

import pickle
import pickletools
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ssr.errors import InputError

_NUMBERED = ("PUT", "BINPUT", "LONG_BINPUT")
_NUMBERS = re.compile(r"[biuf][1248]")


def read_pickled_vectors(path: str | Path) -> dict[Any, NDArray[Any]]:
    """The vectors that `np.save(path, {key: vector})` wrote, by key.

    Raises:
        InputError: the file is missing, damaged, holds something else, or its pickle names
            anything besides dicts, lists, texts, numbers and numpy arrays.
    """
    try:
        with Path(path).open("rb") as file:
            _read_header(file)
            _check_memo(file)
            content = _Unpickler(file, encoding="latin1").load()
            return {key: _vector(value) for key, value in _only_entry(content).items()}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    # A damaged pickle can make its reader raise nearly anything.
    except Exception as error:
        raise InputError(
            f"{path}: cannot be read as a pickled dict of vectors ({error})"
        ) from error


def _read_header(file: BinaryIO) -> None:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if shape != () or not dtype.hasobject:
        raise InputError(f"wanted one dict, came an array of shape {shape} and type {dtype}")


def _check_memo(file: BinaryIO) -> None:
    """A pickle numbers what it repeats; for a large number, its reader makes room at once."""
    start = file.tell()
    for code, number, position in pickletools.genops(file):
        if code.name in _NUMBERED and int(number or 0) > (position or 0):
            raise InputError(f"the pickle numbers {number} things before its byte {position}")
    file.seek(start)


class _Type:
    """Stands for numpy.dtype: remembers what it is a type of."""

    def __init__(self, name: str = "", *_: Any) -> None:
        self._name, self._order = str(name), "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._order = state[1]

    def real(self) -> np.dtype[Any]:
        if self._order not in ("<", ">", "=", "|") or not _NUMBERS.fullmatch(self._name):
            raise InputError(f"wanted vectors of numbers, came numpy type {self._name!r}")
        return np.dtype(self._order + self._name)


class _Array:
    """Stands for numpy.ndarray: keeps the state that a pickle hands over."""

    def __init__(self) -> None:
        self.shape: Any = None
        self.type: Any = None
        self.content: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.type, _, self.content = state


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: str, _: str) -> bytes:
    """How Python 3 writes bytes into the pickles of Python 2."""
    return text.encode("latin1")


_KNOWN = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise InputError(f"the pickle names {module}.{name}, which is never run")
        return _KNOWN[module, name]


def _only_entry(content: Any) -> dict[Any, Any]:
    """The dict in an array of one object."""
    if isinstance(content, _Array) and isinstance(content.content, list):
        content = content.content[0]
    if not isinstance(content, dict):
        raise InputError(f"wanted a dict of vectors, came {type(content).__name__.strip('_')}")
    return content


def _vector(value: Any) -> NDArray[Any]:
    if isinstance(value, list):
        return np.array([float(number) for number in value])
    if not (isinstance(value, _Array) and isinstance(value.content, bytes)):
        raise InputError(f"wanted vectors of numbers, came {type(value).__name__.strip('_')}")
    vector = np.frombuffer(value.content, value.type.real())
    if value.shape != vector.shape:
        raise InputError(f"wanted vectors, came an array of shape {value.shape}")
    return vector
