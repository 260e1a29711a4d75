"""Dataclasses of arrays as .npz files without pickles."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np

from ssr.errors import InputError
from ssr.files import replacing

Arrays = TypeVar("Arrays")


def save_arrays(path: Path, *contents: Any) -> None:
    """Write dataclasses whose fields are arrays, of distinct names; equal content, equal bytes."""
    arrays = {
        field.name: getattr(content, field.name)
        for content in contents
        for field in fields(content)
    }
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)


def load_arrays(path: Path, kind: type[Arrays], maker: str) -> Arrays:
    """Read back one `kind` of what `save_arrays` wrote.

    Raises:
        InputError: missing, cut short or something else; names `maker`, the rule that writes it.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    try:
        with np.load(path, allow_pickle=False) as file:
            return kind(**{name: file[name] for name in names})
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise InputError(
            f"{path}: expected what {maker} writes, found an unreadable file ({error}); delete it "
            f"to have it made again"
        ) from error
