"""Named tensors as safetensors files that betray a flipped bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from ssr.artefacts.files import replacing
from ssr.artefacts.seals import BLANK, seal

METADATA = "ssr"


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, object] | None = None
) -> None:
    """Write a sealed safetensors file (see `ssr.artefacts.seals`); equal content gives equal bytes.

    `metadata`, JSON-able, is written as JSON under `METADATA`, the only entry: safetensors writes
    several in an arbitrary order.
    """
    header = json.dumps({**(metadata or {}), "seal": BLANK}, sort_keys=True)
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        # Its own save_file lets nobody but the owner read the file.
        temporary.write_bytes(save(contiguous, {METADATA: header}))
        seal(temporary)
