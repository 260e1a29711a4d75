"""The tensors of a TorchScript archive, such as OpenAI's CLIP files, without running its program.

An archive is a zip of code and of one pickle of the module tree, whose classes exist only in that
code. Here every class stands for a plain node, and torch's restricted reader does the rest.
"""

import io
import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.jit._pickle as jit_lists
from torch import Tensor

from ssr.artefacts.archives import refuse_compressed

_STORED = ("data.pkl", "version", "byteorder", ".data/serialization_id")
_LISTS = [getattr(jit_lists, f"build_{kind}list") for kind in ("bool", "double", "int", "tensor")]


class _Node:
    """A module of the archive: its attributes, by name."""


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive, of which torch.load reads no weights alone."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """The parameters and buffers of an archive by their dotted names, on the CPU.

    Raises:
        zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError: damaged, or holds other objects
            than modules of tensors.
    """
    copy, classes = _without_code(path)
    safe: list[Any] = [*_LISTS, jit_lists.restore_type_tag, *((_Node, name) for name in classes)]
    with torch.serialization.safe_globals(safe):
        tree = torch.load(copy, "cpu", weights_only=True)
    return dict(_tensors(tree, ""))


def _without_code(path: Path) -> tuple[io.BytesIO, set[str]]:
    """A copy that torch takes for a plain checkpoint, and the names of the archive's classes."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as plain:
        for name in archive.namelist():
            inner = name.partition("/")[2]
            if inner in _STORED or inner.startswith("data/"):
                refuse_compressed(archive, [name])
                plain.writestr(name, archive.read(name))
        (program,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        operations = pickletools.genops(archive.read(program))
        named = [str(value) for code, value, _ in operations if code.name == "GLOBAL"]
    copy.seek(0)
    return copy, {name.replace(" ", ".") for name in named if name.startswith("__torch__.")}


def _tensors(node: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, value in vars(node).items():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(value, _Node):
            yield from _tensors(value, f"{prefix}{name}.")
