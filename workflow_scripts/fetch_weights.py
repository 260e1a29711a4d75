"""A tag of pretrained weights in; their file in the library's cache, and a marker, out."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path

from ssr.artefacts.files import replacing
from ssr.config import Backbone
from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Fetch what is not cached yet; the marker says what the results rest on."""
    # The hub's switch for a progress bar that shows through a pipe, too; a line a second is enough.
    os.environ |= {"TQDM_POSITION": "-1", "TQDM_MININTERVAL": "1"}
    content = _fetch(arguments.network, arguments.backbone)
    print("{tag} of {model}: {file} of {repository}, {bytes} bytes".format(**content))
    with replacing(arguments.output) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")


def _fetch(network: str, backbone: Backbone) -> dict[str, str | int]:
    from ssr.backbones.pretrained import clip_tag, dino_tag, fetch
    from ssr.config.architectures import dino_config
    from ssr.running.digests import digest

    if network == "clip":
        weights = clip_tag(backbone.model, backbone.weights)
    else:
        weights = dino_tag(dino_config(backbone.model)[0], backbone.weights)
    path = fetch(weights)
    return {
        "model": backbone.model,
        "tag": backbone.weights,
        "repository": weights.repository,
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": digest(path),
    }


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--network", choices=("clip", "dino"), required=True)
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--output", type=Path, required=True, help="marker, JSON")
    run(main, flags)
