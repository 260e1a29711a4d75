"""What a trained segmenter is, as the JSON beside its weights says; read without mmsegmentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ssr.artefacts.seals import verify
from ssr.config.settings import make_backbone_absolute
from ssr.errors import InputError


def read_description(path: Path, home: Path = Path()) -> dict[str, Any]:
    """What `ssr.segmenter.model.export` wrote: "classes", background first, and "model", a config.

    `home` is the folder in which it was trained: the files of CLIP begin with it.

    Raises:
        InputError: the file is missing or damaged, or describes no segmenter.
    """
    verify(path)
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        if clip := content["model"].get("backbone", {}).get("clip"):
            make_backbone_absolute(clip, home)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: wanted the description that train_segmenter writes ({error!r})"
        ) from error
    return content
