"""CAMs, attention and colour regions of a shard in; refined CAMs in 0..1 out."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path

from ssr.config import Refinement
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress


def main(arguments: Namespace) -> None:
    """Refine the CAMs of every image that has some."""
    from ssr.artefacts.store import ShardWriter, open_shards
    from ssr.cams.refinement import refine_image

    cams = open_shards([arguments.cams])
    features, superpixels = open_shards([arguments.features]), open_shards([arguments.superpixels])
    with ShardWriter(arguments.output) as writer:
        for image in progress(cams.ids, len(cams), "refined CAMs"):
            stored = partial(features.read, image), partial(superpixels.read, image)
            maps = refine_image(cams.read(image, "cams"), *stored, arguments.refinement)
            writer.add(image, {"cams": maps, "classes": cams.read(image, "classes")})


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--refinement", type=Refinement.model_validate_json, required=True)
    flags.add_argument("--features", type=existing, required=True)
    flags.add_argument("--superpixels", type=existing, required=True)
    flags.add_argument("--cams", type=existing, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
