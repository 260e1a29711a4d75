"""Where exports go: nothing is written over."""

from __future__ import annotations

from pathlib import Path

from ssr.errors import InputError


def require_free(path: Path, option: str) -> None:
    """Refuse a place where there is more than an empty folder.

    Raises:
        InputError: names the option that chose it.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path}: is there already; choose another {option}, or delete it")
