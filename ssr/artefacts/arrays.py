"""Dataclasses of arrays as .npz files without pickles."""

from __future__ import annotations

import io
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np

from ssr.artefacts.archives import new_archive, refuse_compressed, write_entry
from ssr.artefacts.seals import verify
from ssr.errors import InputError

Arrays = TypeVar("Arrays")


def save_arrays(path: Path, *contents: Any) -> None:
    """Write dataclasses whose fields are arrays, of distinct names; equal content, equal bytes."""
    arrays = {
        field.name: getattr(content, field.name)
        for content in contents
        for field in fields(content)
    }
    with new_archive(path) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)
            write_entry(archive, f"{name}.npy", content.getvalue())


def load_arrays(path: Path, kind: type[Arrays], maker: str) -> Arrays:
    """Read back one `kind` of what `save_arrays` wrote.

    Raises:
        InputError: missing, cut short or something else; names `maker`, the rule that writes it.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    try:
        verify(path)
        with np.load(path, allow_pickle=False) as file:
            refuse_compressed(file.zip, file.zip.namelist())
            return kind(**{name: file[name] for name in names})
    except (InputError, OSError, ValueError, KeyError, EOFError, RuntimeError, BadZipFile) as error:
        raise InputError(
            f"{path}: expected what {maker} writes, found an unreadable file ({error}); delete it "
            f"to have it made again"
        ) from error
