"""JSON as others write it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ssr.data.texts import read_text
from ssr.errors import InputError


def read_json(path: Path) -> Any:
    """What a file holds.

    Raises:
        InputError: it is no JSON.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON ({error})") from error
