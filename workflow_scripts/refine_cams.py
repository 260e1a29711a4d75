"""CAMs, attention and colour regions of a shard in; refined CAMs in 0..1 out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.config import Refinement
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress

if TYPE_CHECKING:
    import numpy as np

    from ssr.artefacts.store import Shards


def main(arguments: Namespace) -> None:
    """Refine the CAMs of every image that has some."""
    from ssr.artefacts.store import ShardWriter, open_shards

    cams = open_shards([arguments.cams])
    refine_all = _pass_on if arguments.refinement.affinity == "none" else _refine
    with ShardWriter(arguments.output) as writer:
        refined = refine_all(cams, arguments)
        for image_id, maps in progress(refined, len(cams), "refined CAMs"):
            writer.add(image_id, {"cams": maps, "classes": cams.read(image_id, "classes")})


def _pass_on(cams: Shards, _: Namespace) -> Iterator[tuple[str, np.ndarray]]:
    from ssr.maps import min_max

    for image_id in cams.ids:
        yield image_id, min_max(cams.read(image_id, "cams"))


def _refine(cams: Shards, arguments: Namespace) -> Iterator[tuple[str, np.ndarray]]:
    from ssr.artefacts.store import open_shards
    from ssr.cams.refinement import image_affinity, patch_mask, refine
    from ssr.maps import min_max, on_grid

    settings = arguments.refinement
    features = open_shards([arguments.features])
    superpixels = open_shards([arguments.superpixels])
    for image_id in cams.ids:
        clip = features.read(image_id, "clip_attention")
        dino = features.read(image_id, "dino_attention")
        affinity = image_affinity(clip, dino, settings)
        regions = superpixels.read(image_id, "regions")[superpixels.read(image_id, "labels")]
        grid = features.read(image_id, "grid")
        maps = min_max(on_grid(cams.read(image_id, "cams"), (int(grid[0]), int(grid[1]))))
        mask = patch_mask(maps, regions, settings)
        yield image_id, refine(maps, affinity, mask, settings.power)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--refinement", type=Refinement.model_validate_json, required=True)
    flags.add_argument("--features", type=existing, required=True)
    flags.add_argument("--superpixels", type=existing, required=True)
    flags.add_argument("--cams", type=existing, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
