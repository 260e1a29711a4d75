"""The data set's own train images and their labels in; a CLIP trained from scratch out.

Continues from the newest checkpoint in the work folder. The model's JSON and the losses land beside
the weights.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.config import Pretraining, Text
from ssr.data.index import Index
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress
from ssr.running.provenance import code_hash


def main(arguments: Namespace) -> None:
    """Store the photographs, train or resume, export, and clear the work folder."""
    from ssr.backbones.devices import choose_device
    from ssr.config.architectures import clip_architecture, clip_config
    from ssr.pretraining import standins
    from ssr.pretraining.clip import ClipTraining
    from ssr.pretraining.export import finish, write_clip
    from ssr.pretraining.recipes import standin_clip_recipe

    settings: Pretraining = arguments.pretraining
    images = standins.labelled(Index.read(arguments.index).split("train"))
    parameters = [
        code_hash("workflow_scripts.pretrain_clip"),
        arguments.model,
        settings.canonical(),
        arguments.text.canonical(),
        *arguments.classes,
        str(arguments.seed),
    ]
    work = standins.work_folder(arguments, parameters)
    photographs = standins.store(
        work, images, arguments.root, settings.side, classes=len(arguments.classes)
    )
    patch = clip_architecture(arguments.model).patch
    lessons = standins.clip_lessons(photographs, settings, patch, arguments.classes, arguments.text)
    recipe = standin_clip_recipe(settings, arguments.seed)
    device = choose_device(arguments.device)
    training = ClipTraining(arguments.model, lessons, recipe, device)
    for _ in progress(training.run(work), settings.clip_steps, "CLIP"):
        pass
    write_clip(training.model.state_dict(), training.vocabulary.identifiers, arguments.output)
    finish(work, arguments.output, clip_config(arguments.model))


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--root", type=Path, required=True)
    flags.add_argument("--classes", nargs="+", required=True)
    flags.add_argument("--text", type=Text.model_validate_json, required=True)
    flags.add_argument("--model", required=True, help="name of the library, or a JSON file")
    flags.add_argument("--pretraining", type=Pretraining.model_validate_json, required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--work", type=Path, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
