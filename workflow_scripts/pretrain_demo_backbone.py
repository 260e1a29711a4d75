"""Pretrain the demo's small CLIP or DINO on procedural web scenes and write its weights.

Continues from the newest checkpoint in the work folder, unless the code of either network changed.
The model's JSON and the losses land beside the weights.
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.running.programs import parser, run
from ssr.running.progress import progress
from ssr.running.provenance import code_hash

if TYPE_CHECKING:
    from ssr.pretraining.corpus import Corpus


def main(arguments: Namespace) -> None:
    """Draw the corpus, train or resume, export."""
    from ssr.config.architectures import read_model_file
    from ssr.pretraining.corpus import WEB, open_corpus, write_corpus
    from ssr.pretraining.export import finish
    from ssr.running import checkpoints

    code = code_hash("workflow_scripts.pretrain_demo_backbone")
    parameters = [code, arguments.network, str(arguments.seed)]
    work = arguments.work / checkpoints.fingerprint(parameters, [Path(arguments.model)])
    write_corpus(work / "web", WEB, arguments.threads)
    NETWORKS[arguments.network](open_corpus(work / "web"), work, arguments)
    finish(work, arguments.output, read_model_file(arguments.model))


def _pretrain_clip(corpus: Corpus, work: Path, arguments: Namespace) -> None:
    from ssr.pretraining.clip import ClipTraining
    from ssr.pretraining.export import write_clip
    from ssr.pretraining.recipes import ClipRecipe
    from ssr.pretraining.scenes import SceneClipLessons

    recipe = replace(ClipRecipe(), seed=arguments.seed)
    training = ClipTraining(arguments.model, SceneClipLessons(corpus, recipe), recipe)
    for _ in progress(training.run(work), recipe.last_step, "CLIP"):
        pass
    write_clip(training.model.state_dict(), training.vocabulary.identifiers, arguments.output)


def _pretrain_dino(corpus: Corpus, work: Path, arguments: Namespace) -> None:
    from ssr.pretraining.dino import DinoTraining
    from ssr.pretraining.export import write_dino
    from ssr.pretraining.recipes import DinoRecipe
    from ssr.pretraining.scenes import SceneDinoLessons

    recipe = replace(DinoRecipe(), seed=arguments.seed)
    training = DinoTraining(arguments.model, SceneDinoLessons(corpus, recipe), recipe)
    for _ in progress(training.run(work), recipe.steps, "DINO"):
        pass
    write_dino(training.model.state_dict(), arguments.output)


NETWORKS = {"clip": _pretrain_clip, "dino": _pretrain_dino}


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--network", choices=NETWORKS, required=True)
    flags.add_argument("--model", required=True, help="JSON file that describes it")
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--work", type=Path, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
