"""Images and pseudo-labels in; a trained segmenter out, continued from its newest checkpoint."""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from pathlib import Path

from ssr.config import Backbone, Segmenter
from ssr.index import Index
from ssr.pngs import open_pngs
from ssr.programs import existing, parser, run
from ssr.provenance import code_hash


def main(arguments: Namespace) -> None:
    """Train, export, and clear the checkpoints."""
    import torch

    from ssr import checkpoints
    from ssr.backbones import choose_device
    from ssr.segmenter import model
    from ssr.segmenter.dataset import PseudoLabelDataset, augmentation
    from ssr.segmenter.training import Place, train

    settings: Segmenter = arguments.segmenter
    dataset = PseudoLabelDataset(
        Index.read(arguments.index).split("train"),
        arguments.root,
        open_pngs(arguments.labels),
        augmentation(settings.crop_size, settings.scale_range),
        arguments.seed,
    )
    classes = ["background", *arguments.classes]
    torch.manual_seed(arguments.seed)
    config = model.model_config(settings, arguments.backbone, len(classes))
    parameters = [
        code_hash("workflow_scripts.train_segmenter"),
        json.dumps(classes),
        arguments.backbone.canonical(),
        settings.canonical(),
        str(arguments.seed),
    ]
    named = [arguments.backbone.model, arguments.backbone.weights, settings.config or ""]
    inputs = [arguments.index, *arguments.labels, *filter(Path.is_file, map(Path, named))]
    work = arguments.work / checkpoints.fingerprint(parameters, inputs)
    device = choose_device(arguments.device)
    place = Place(work, device, workers=arguments.threads - 1 if device.type == "cuda" else 0)
    trained = train(model.build(config), dataset, settings, arguments.seed, place)
    shutil.copyfile(work / "history.csv", arguments.output.with_name("history.csv"))
    model.export(trained, config, classes, arguments.output, arguments.description)
    checkpoints.remove(work)


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--root", type=Path, required=True)
    flags.add_argument("--classes", nargs="+", required=True)
    flags.add_argument("--labels", type=existing, nargs="+", required=True)
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--segmenter", type=Segmenter.model_validate_json, required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--work", type=Path, required=True)
    flags.add_argument("--output", type=Path, required=True)
    flags.add_argument("--description", type=Path, required=True)
    run(main, flags)
