"""Patch sizes of CLIP and DINO from their names or JSON files, without building them.

Imports neither torch nor the model libraries, so that settings can be checked in milliseconds.
"""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ssr.errors import InputError


def read_model_file(path: str | Path) -> dict[str, Any]:
    """A model described by a JSON file.

    Raises:
        InputError: the file is missing or holds no JSON object.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"model: no file {path} (looked in {Path.cwd()})")
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"model {path}: no valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"model {path}: wanted a JSON object, came {type(content).__name__}")
    return content


def clip_patch_size(model: str) -> int | None:
    """Patch side in pixels of an open_clip name or JSON file; None where it can't be told."""
    if model.endswith(".json"):
        content = read_model_file(model)
    else:
        specification = find_spec("open_clip")
        folders = specification.submodule_search_locations if specification else None
        path = Path(folders[0]) / "model_configs" / f"{model}.json" if folders else None
        content = read_model_file(path) if path and path.is_file() else {}
    return _square(content.get("vision_cfg", {}).get("patch_size"))


def dino_patch_size(model: str) -> int | None:
    """Patch side in pixels of a timm name or JSON file; None where it can't be told."""
    if model.endswith(".json"):
        content = read_model_file(model)
        own = content.get("model_args", {}).get("patch_size")
        return _square(own) or dino_patch_size(str(content.get("architecture", "")))
    found = re.search(r"patch(\d+)(?:_|\.|$)", model)
    return int(found[1]) if found else None


def check_patch_sizes(clip: int | None, dino: int | None, patch: int) -> None:
    """Refuse backbones whose patch grids differ from each other or from `images.patch`.

    Raises:
        InputError: names the three sizes; a size of None is not known yet and passes.
    """
    if any(size not in (None, patch) for size in (clip, dino)):
        raise InputError(
            f"backbones: the patch grids of CLIP and DINO must be one grid of images.patch; came "
            f"patch {clip or '?'} (CLIP), {dino or '?'} (DINO) and images.patch {patch}"
        )


def _square(size: Any) -> int | None:
    sides = set(size) if isinstance(size, list) else {size}
    side = sides.pop()
    return side if isinstance(side, int) and not sides else None
