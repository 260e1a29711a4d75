"""Tags of pretrained weights in; their files in the library's cache, and a marker for each, out."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path

from ssr.artefacts.files import replacing
from ssr.config import Backbone, Backbones
from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Fetch what is not cached yet; a marker `clip.json` or `dino.json` names its backbone."""
    # The hub's switch for a progress bar that shows through a pipe, too; a line a second is enough.
    os.environ |= {"TQDM_POSITION": "-1", "TQDM_MININTERVAL": "1"}
    for marker in arguments.output:
        content = _fetch(marker.stem, getattr(arguments.backbones, marker.stem))
        print("{tag} of {model}: {file} of {repository}, {bytes} bytes".format(**content))
        with replacing(marker) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n")
    if not arguments.output:
        print("nothing to fetch: neither backbone's weights are the tag of pretrained ones")


def _fetch(name: str, backbone: Backbone) -> dict[str, str | int]:
    from ssr.backbones.pretrained import clip_tag, dino_tag, fetch
    from ssr.config.architectures import dino_config
    from ssr.running.digests import digest

    if name == "clip":
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
    flags.add_argument("--backbones", type=Backbones.model_validate_json, required=True)
    flags.add_argument("--output", type=Path, nargs="*", default=[], help="markers")
    run(main, flags)
