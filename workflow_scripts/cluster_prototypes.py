"""Samples and texts in; all samples, prototypes and pseudo-labels of a round out.

With `prototypes.pooling: after`, what is clustered are aligned patches, pooled; they are always
where CLIP's last block is trained.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.config import Alignment, Backbone, Prototypes
from ssr.errors import InputError
from ssr.running.programs import existing, parser, run
from workflow_scripts._train_patches import first_aligner, pooled_behind


def main(arguments: Namespace) -> None:
    """Cluster the samples as the round before has aligned them."""
    import numpy as np

    from ssr.alignment.prototypes import make_prototypes
    from ssr.alignment.samples import Samples, concatenate
    from ssr.artefacts.arrays import load_arrays, save_arrays
    from ssr.backbones.devices import choose_device
    from ssr.backbones.text import TextEmbeddings

    stored = TextEmbeddings.read(arguments.text)
    classes = len(stored.classes)
    samples = concatenate(
        [load_arrays(path, Samples, "pool_samples") for path in arguments.samples]
    )
    if not len(samples.labels):
        raise InputError("CMPA learns from labelled training images; the train split has none")
    texts = np.concatenate([stored.classes, stored.backgrounds])
    if not arguments.alignment.backgrounds:
        samples, texts = samples.foreground(classes), stored.classes
    seen, device = samples, choose_device(arguments.device)
    if arguments.prototypes.pooling == "after":
        seen = pooled_behind(samples, arguments.prototypes, arguments, device)
    aligner, _ = first_aligner(arguments, seen, texts)
    if arguments.alignment.trains == "last_block":
        aligner.to(device)
    clusters = arguments.prototypes.clusters or classes
    prototypes = make_prototypes(aligner, seen, texts, classes, clusters, arguments.seed)
    print(f"{len(samples.labels)} samples, {clusters} clusters of purity {prototypes.purity:.3f}")
    save_arrays(arguments.output, samples, prototypes)


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--prototypes", type=Prototypes.model_validate_json, required=True)
    flags.add_argument("--alignment", type=Alignment.model_validate_json, required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--text", type=existing, required=True)
    flags.add_argument(
        "--features", type=existing, nargs="*", help="train; where pooled behind what is trained"
    )
    flags.add_argument("--cams", type=existing, nargs="*", help="initial, train; as features")
    flags.add_argument("--samples", type=existing, nargs="+", required=True)
    flags.add_argument(
        "--previous", type=existing, nargs="?", help="heads of the round before; later ones"
    )
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
