"""Samples and prototypes of a round in; the heads trained on them out, and the losses beside them.

Continues from the newest checkpoint in the work folder.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.config import Alignment
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress
from ssr.running.provenance import code_hash


def main(arguments: Namespace) -> None:
    """Train, export, and clear the checkpoints."""
    import torch

    from ssr.alignment.heads import save_heads, starting_heads
    from ssr.alignment.prototypes import Prototypes
    from ssr.alignment.samples import Samples
    from ssr.alignment.training import Round, TrainingSet, train, write_history
    from ssr.artefacts.arrays import load_arrays
    from ssr.running import checkpoints

    settings: Alignment = arguments.alignment
    samples = load_arrays(arguments.prototypes, Samples, "cluster_prototypes")
    prototypes = load_arrays(arguments.prototypes, Prototypes, "cluster_prototypes")
    heads, before = starting_heads(
        arguments.previous,
        settings,
        torch.from_numpy(samples.features),
        torch.from_numpy(prototypes.texts),
        arguments.seed,
    )
    work = arguments.work / checkpoints.fingerprint(
        [
            code_hash("workflow_scripts.align_prototypes"),
            settings.canonical(),
            str(arguments.seed),
        ],
        [arguments.prototypes, *filter(None, [arguments.previous])],
    )
    state = Round(heads, TrainingSet(samples, prototypes), settings, arguments.seed, before)
    for _ in progress(train(state, work), settings.iterations, "alignment"):
        pass
    write_history(arguments.output.with_suffix(".csv"), state.history)
    iterations = before + state.iteration
    save_heads(arguments.output, state.heads, {"iterations": iterations}, state.kept)
    checkpoints.remove(work)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--alignment", type=Alignment.model_validate_json, required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--prototypes", type=existing, required=True)
    flags.add_argument(
        "--previous", type=existing, nargs="?", help="heads of the round before; later ones"
    )
    flags.add_argument("--work", type=Path, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
