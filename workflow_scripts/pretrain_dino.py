"""The data set's own train images in; a DINO trained from scratch out. Labels are not looked at.

Continues from the newest checkpoint in the work folder. The model's JSON and the losses land beside
the weights.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.config import Pretraining
from ssr.data.index import Index
from ssr.running.programs import existing, parser, run
from ssr.running.progress import progress
from ssr.running.provenance import code_hash


def main(arguments: Namespace) -> None:
    """Store the photographs, train or resume, export, and clear the work folder."""
    from ssr.backbones.devices import choose_device
    from ssr.config.architectures import dino_architecture, dino_config
    from ssr.pretraining import standins
    from ssr.pretraining.dino import DinoTraining
    from ssr.pretraining.export import finish, write_dino
    from ssr.pretraining.recipes import standin_dino_recipe

    settings: Pretraining = arguments.pretraining
    images = Index.read(arguments.index).split("train")
    parameters = [
        code_hash("workflow_scripts.pretrain_dino"),
        arguments.model,
        settings.canonical(),
        str(arguments.seed),
    ]
    work = standins.work_folder(arguments, parameters)
    photographs = standins.store(work, images, arguments.root, settings.side, settings.segments)
    patch = dino_architecture(arguments.model).patch
    lessons = standins.dino_lessons(photographs, settings, patch)
    recipe = standin_dino_recipe(settings, arguments.seed)
    device = choose_device(arguments.device)
    training = DinoTraining(arguments.model, lessons, recipe, device)
    for _ in progress(training.run(work), settings.dino_steps, "DINO"):
        pass
    write_dino(training.model.state_dict(), arguments.output)
    architecture, options = dino_config(arguments.model)
    description = {"architecture": architecture, "model_args": options}
    finish(work, arguments.output, description)


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--root", type=Path, required=True)
    flags.add_argument("--model", required=True, help="name of the library, or a JSON file")
    flags.add_argument("--pretraining", type=Pretraining.model_validate_json, required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--work", type=Path, required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
