"""Images of a shard and a segmenter in; logits, averaged over scales and mirroring, out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np

from ssr.artefacts.store import ShardWriter
from ssr.config import Prediction
from ssr.data.images import load_image
from ssr.data.index import Index
from ssr.running.ahead import ahead
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress


def main(arguments: Namespace) -> None:
    """Predict every image of the shard."""
    from ssr.backbones.devices import choose_device
    from ssr.segmenter.model import load
    from ssr.segmenter.prediction import predict

    device = choose_device(arguments.device)
    model = load(arguments.model, arguments.description, device)
    images = Index.read(arguments.index).shard(arguments.shard)
    with ShardWriter(arguments.output) as writer:
        loaded = ahead(
            lambda image: (image, load_image(arguments.root / image.image)),
            images,
            arguments.threads if device.type == "cuda" else 0,
        )
        for image, pixels in progress(loaded, len(images), f"logits of {arguments.shard}"):
            logits = predict(model, pixels, arguments.prediction)
            writer.add(image.id, {"logits": logits.astype(np.float16)})


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--root", type=Path, required=True)
    flags.add_argument("--shard", required=True)
    flags.add_argument("--model", type=existing, required=True)
    flags.add_argument("--description", type=existing, required=True)
    flags.add_argument("--prediction", type=Prediction.model_validate_json, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
