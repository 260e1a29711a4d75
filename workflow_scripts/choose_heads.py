"""Heads of all rounds, features, texts and masks of tune in; the heads with the best CAMs out.

With `alignment.trains: last_block` they are CLIP's last block at every look, instead of heads. What
was seen at each look is written beside them.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ssr.config import AlignedCams, Backbone
from ssr.errors import InputError
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress

if TYPE_CHECKING:
    from ssr.alignment.aligner import Aligner
    from ssr.evaluation.evaluation import Shard

Seen = tuple[np.ndarray, list[np.ndarray], np.ndarray]


def main(arguments: Namespace) -> None:
    """Activate tune with the heads of every look, and keep those of the best."""
    from ssr.alignment.trained import load_looks, save_aligner
    from ssr.data.index import Index
    from ssr.data.masks import Masks
    from ssr.evaluation.evaluation import pair_with_masks
    from ssr.evaluation.looks import choose, look_at, write_looks

    images = Index.read(arguments.index).split("tune")
    masks = Masks.read(arguments.masks, arguments.root)
    shards = pair_with_masks(arguments.features, images, masks)
    heads = {number: each for path in arguments.rounds for number, each in load_looks(path).items()}
    seen = progress(_see(arguments, [*heads.values()], shards), len(images), "CAMs of tune")
    if 0 not in heads:
        raise InputError(
            f"{arguments.rounds[0]}: lacks the heads of the start, without which none are "
            "chosen; delete it to have it made again"
        )
    looks = look_at(seen, [*heads], 1 + len(arguments.classes))
    best = choose(looks)
    print(
        f"the heads after {best.iteration} of {max(heads)} iterations give the best CAMs of "
        f"{len(looks)} looks: mIoU {best.miou:.4f} on tune; {looks[0].miou:.4f} at the start, "
        f"{looks[-1].miou:.4f} at the end"
    )
    write_looks(arguments.seen, looks)
    chosen = {"split": "tune", "images": len(images), "miou": best.miou}
    metadata = {"iterations": best.iteration, "chosen": chosen}
    save_aligner(arguments.output, heads[best.iteration].cpu(), metadata)


def _see(arguments: Namespace, heads: Sequence[Aligner], shards: Sequence[Shard]) -> Iterator[Seen]:
    """Mask, raw CAMs with each of `heads`, and classes of every image."""
    import torch

    from ssr.artefacts.store import open_shards
    from ssr.backbones.devices import choose_device
    from ssr.backbones.last_block import load_last_block
    from ssr.backbones.text import TextEmbeddings
    from ssr.cams.activation import ImageScores
    from ssr.evaluation.evaluation import NO_MAPS

    settings: AlignedCams = arguments.cams
    device = choose_device(arguments.device)
    clip, texts = load_last_block(arguments.backbone, device), TextEmbeddings.read(arguments.text)
    scores = [
        ImageScores(texts, device, each, settings.background, settings.gradient) for each in heads
    ]
    for shard in shards:
        features = open_shards([shard.path])
        for image in shard.masks.ids:
            truth, present = shard.masks.load(image), shard.labels[image]
            if not present:
                yield truth, [NO_MAPS[0]] * len(heads), NO_MAPS[1]
                continue
            entering = torch.from_numpy(features.read(image, "tokens")).to(device)
            grid = features.read(image, "grid")
            maps = (score.activate(settings.score, clip, entering, present) for score in scores)
            yield truth, [each.cpu().numpy().reshape(-1, *grid) for each in maps], np.array(present)


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--masks", type=existing, required=True, help="table of the masks")
    flags.add_argument("--root", type=Path, required=True, help="folder of the data set")
    flags.add_argument("--classes", nargs="+", required=True, help="names, without background")
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--cams", type=AlignedCams.model_validate_json, required=True)
    flags.add_argument("--features", type=existing, nargs="+", required=True, help="of tune")
    flags.add_argument("--text", type=existing, required=True)
    flags.add_argument("--rounds", type=existing, nargs="+", required=True, help="heads, in order")
    flags.add_argument("--output", type=Path, required=True, help="the heads chosen")
    flags.add_argument("--seen", type=Path, required=True, help="CSV: mIoU at every look")
    run(main, flags)
