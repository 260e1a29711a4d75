"""Samples and prototypes of a round in; the heads trained on them out, and the losses beside them.

With `alignment.loss: image_labels`, the heads are trained on the patches of the train images
instead; with `prototypes.pooling: after`, these patches are pooled behind the image head. With
`alignment.trains: last_block`, CLIP's last block is trained instead of heads. Continues from the
newest checkpoint in the work folder.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.config import Alignment, Backbone
from ssr.config import Prototypes as Pooling
from ssr.running.compiler import without_compiler
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress
from ssr.running.provenance import code_hash
from workflow_scripts._train_patches import (
    entering_reader,
    first_aligner,
    labelled_images,
    pooled_behind,
)

if TYPE_CHECKING:
    from ssr.alignment.image_labels import LabelledImages
    from ssr.alignment.prototypes import Prototypes


def main(arguments: Namespace) -> None:
    """Train, export, and clear the checkpoints."""
    from ssr.alignment.prototypes import Prototypes
    from ssr.alignment.samples import Samples
    from ssr.alignment.trained import save_aligner
    from ssr.alignment.training import LabelledSamples, Round, train, write_history
    from ssr.artefacts.arrays import load_arrays
    from ssr.running import checkpoints

    settings: Alignment = arguments.alignment
    samples = load_arrays(arguments.prototypes, Samples, "cluster_prototypes")
    prototypes = load_arrays(arguments.prototypes, Prototypes, "cluster_prototypes")
    pooling: Pooling = arguments.pooling or Pooling()
    if pooling.pooling == "after":
        samples = pooled_behind(samples, pooling, arguments, "cpu")
    aligner, before = first_aligner(arguments, samples, prototypes.texts)
    work = arguments.work / checkpoints.fingerprint(
        [
            code_hash("workflow_scripts.align_prototypes"),
            settings.canonical(),
            pooling.canonical(),
            str(arguments.seed),
        ],
        [arguments.prototypes, *filter(None, [arguments.previous])],
    )
    if settings.looks_at_images:
        data = _labelled_images(arguments, prototypes)
    else:
        data = LabelledSamples(samples, prototypes, settings.loss)
    with without_compiler():
        state = Round(aligner, data, settings, arguments.seed, before)
        for _ in progress(train(state, work), settings.iterations, "alignment"):
            pass
    write_history(arguments.output.with_suffix(".csv"), state.history)
    iterations = before + state.iteration
    save_aligner(arguments.output, state.aligner, {"iterations": iterations}, state.kept)
    checkpoints.remove(work)


def _labelled_images(arguments: Namespace, prototypes: Prototypes) -> LabelledImages:
    from ssr.alignment.image_labels import LabelledImages

    images, patches = labelled_images(arguments), entering_reader(arguments, "cpu")
    classes = prototypes.cluster_table.shape[1]
    labels = [image.labels for image in images]
    return LabelledImages(labels, lambda row: patches(images[row].id), prototypes.texts, classes)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--alignment", type=Alignment.model_validate_json, required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--prototypes", type=existing, required=True)
    flags.add_argument(
        "--previous", type=existing, nargs="?", help="heads of the round before; later ones"
    )
    of_patches = "with image_labels, or pooling after"
    flags.add_argument("--index", type=existing, nargs="?", help=of_patches)
    flags.add_argument("--features", type=existing, nargs="*", help=f"train; {of_patches}")
    flags.add_argument("--backbone", type=Backbone.model_validate_json, nargs="?", help=of_patches)
    flags.add_argument("--pooling", type=Pooling.model_validate_json, nargs="?", help="if after")
    flags.add_argument("--cams", type=existing, nargs="*", help="initial, train; pooling after")
    flags.add_argument("--work", type=Path, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
