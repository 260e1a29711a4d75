"""Read an .npy file that holds a pickled dict of arrays, without running what the pickle says.

A pickle may name any function and have it called. Here only the few names that rebuild numpy arrays
and torch tensors are known, and each of them stands for something harmless of this module; any
other name is refused.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ssr.errors import InputError

_NUMBERED = ("PUT", "BINPUT", "LONG_BINPUT")
_NUMBERS = re.compile(r"[biuf][1248]")
# Of torch's storages, the type of their numbers.
_STORED = {
    "Bool": "b1", "Byte": "u1", "Char": "i1", "Short": "i2", "Int": "i4", "Long": "i8",
    "Half": "f2", "Float": "f4", "Double": "f8",
}  # fmt: skip
# What stands before a storage: a number that marks torch's files, their version, and the machine.
_PREAMBLE = 3
# Bytes of how many numbers follow, which its pickle says, too.
_COUNT = 8


def read_pickled_arrays(path: str | Path) -> dict[Any, NDArray[Any]]:
    """The arrays that `np.save(path, {key: array})` wrote, by key; tensors of torch among them.

    Raises:
        InputError: the file is missing, damaged, holds something else, or its pickle names
            anything besides dicts, lists, texts, numbers, numpy arrays and tensors.
    """
    try:
        with Path(path).open("rb") as file:
            _read_header(file)
            content = _unpickle(file)
            return {key: _array(value) for key, value in _only_entry(content).items()}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    # A damaged pickle can make its reader raise nearly anything.
    except Exception as error:
        raise InputError(f"{path}: cannot be read as a pickled dict of arrays ({error})") from error


def is_pickled(path: str | Path) -> bool:
    """Whether an .npy file holds a pickle: the arrays of numbers don't."""
    with Path(path).open("rb") as file:
        return bool(_header(file)[1].hasobject)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _read_header(file: BinaryIO) -> None:
    shape, dtype = _header(file)
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
            raise InputError(f"wanted arrays of numbers, came numpy type {self._name!r}")
        return np.dtype(self._order + self._name)


class _Array:
    """Stands for numpy.ndarray: keeps the state that a pickle hands over."""

    def __init__(self) -> None:
        self.shape: Any = None
        self.type: Any = None
        self.by_columns: Any = False
        self.content: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.type, self.by_columns, self.content = state

    def real(self) -> NDArray[Any]:
        order: Any = "F" if self.by_columns else "C"
        return np.frombuffer(self.content, self.type.real()).reshape(self.shape, order=order)


class _Tensor:
    """Stands for a tensor: a view of a storage, whose bounds numpy holds it to."""

    def __init__(self, storage: NDArray[Any], start: int, shape: Any, strides: Any, *_: Any):
        self._of = storage, start, shape, strides

    def real(self) -> NDArray[Any]:
        storage, start, shape, strides = self._of
        size = storage.itemsize
        within = [stride * size for stride in strides]
        return np.ndarray(shape, storage.dtype, storage, start * size, within)


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _scalar(of: _Type, content: bytes) -> Any:
    return np.frombuffer(content, of.real())[0].item()


def _encode(text: str, _: str) -> bytes:
    """How Python 3 writes bytes into the pickles of Python 2."""
    return text.encode("latin1")


def _storage(content: bytes) -> NDArray[Any]:
    """The numbers of what `torch.save(storage)` wrote: pickles, their count, then themselves."""
    file = io.BytesIO(content)
    for _ in range(_PREAMBLE):
        _unpickle(file)
    kind, count = _unpickle(file)
    _unpickle(file)
    return np.frombuffer(file.read()[_COUNT:], np.dtype(f"<{kind}"), count)


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    ("torch.storage", "_load_from_bytes"): _storage,
    **{("torch", f"{name}Storage"): kind for name, kind in _STORED.items()},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise InputError(f"the pickle names {module}.{name}, which is never run")
        return _KNOWN[module, name]

    def persistent_load(self, named: Any) -> tuple[str, int]:
        """Type and count of the numbers of a storage, which stand behind the pickles."""
        _, kind, _, _, count, *_ = named
        return kind, count


def _unpickle(file: BinaryIO) -> Any:
    _check_memo(file)
    return _Unpickler(file, encoding="latin1").load()


def _only_entry(content: Any) -> dict[Any, Any]:
    """The dict in an array of one object."""
    if isinstance(content, _Array) and isinstance(content.content, list):
        content = content.content[0]
    if not isinstance(content, dict):
        raise InputError(f"wanted a dict of arrays, came {type(content).__name__.strip('_')}")
    return content


def _array(value: Any) -> NDArray[Any]:
    if isinstance(value, list):
        return np.array([float(number) for number in value])
    if isinstance(value, _Tensor):
        return value.real()
    if isinstance(value, _Array) and isinstance(value.content, bytes):
        return value.real()
    raise InputError(f"wanted arrays of numbers, came {type(value).__name__.strip('_')}")
