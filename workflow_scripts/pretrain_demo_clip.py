"""Pretrain the demo's small CLIP on procedural web scenes and write its weights.

Continues from the newest checkpoint in the work folder. The model's JSON and the losses land beside
the weights.
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from ssr.running.programs import parser, run
from ssr.running.progress import progress
from ssr.running.provenance import code_hash


def main(arguments: Namespace) -> None:
    """Draw the corpus, train or resume, export."""
    from ssr.config.architectures import read_model_file
    from ssr.pretraining.clip import ClipTraining
    from ssr.pretraining.corpus import WEB, open_corpus, write_corpus
    from ssr.pretraining.export import finish, write_clip
    from ssr.pretraining.recipes import ClipRecipe
    from ssr.pretraining.scenes import SceneClipLessons
    from ssr.running import checkpoints

    recipe = replace(ClipRecipe(), seed=arguments.seed)
    parameters = [code_hash("workflow_scripts.pretrain_demo_clip"), str(arguments.seed)]
    work = arguments.work / checkpoints.fingerprint(parameters, [Path(arguments.model)])
    write_corpus(work / "web", WEB, arguments.threads)
    lessons = SceneClipLessons(open_corpus(work / "web"), recipe)
    training = ClipTraining(arguments.model, lessons, recipe)
    for _ in progress(training.run(work), recipe.last_step, "CLIP"):
        pass
    write_clip(training.model.state_dict(), training.vocabulary.identifiers, arguments.output)
    finish(work, arguments.output, read_model_file(arguments.model))


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--model", required=True, help="JSON file that describes it")
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--work", type=Path, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
