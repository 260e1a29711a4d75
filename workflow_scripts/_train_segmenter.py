"""What the two programs that train a segmenter share: all but whose labels it learns from.

It trains on all visible GPUs that the micro-batches of an iteration can be shared out to, with
`--nodes` on those of several nodes. With `--device cpu --processes 2` it does so on a CPU.
"""

from __future__ import annotations

import json
import shutil
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.config import Backbone, Segmenter
from ssr.errors import InputError
from ssr.running.compiler import without_compiler
from ssr.running.programs import existing, parser
from ssr.running.provenance import code_hash

if TYPE_CHECKING:
    import numpy as np

    from ssr.alignment.online import OnlineAlignment
    from ssr.backbones.text import TextEmbeddings
    from ssr.data.index import Image
    from ssr.running.distributed import Resources
    from ssr.segmenter.dataset import SegmentationDataset


@dataclass(frozen=True)
class Lessons:
    """What a segmenter learns from.

    Attributes:
        images: all of them.
        read_labels: from an image's id to the labels of its pixels.
        files: on which those rest.
        parameters: settings on which they rest.
        alignment: CMPA, where it is trained jointly with the segmenter and makes the labels.
    """

    images: Sequence[Image]
    read_labels: Callable[[str], np.ndarray]
    files: Sequence[Path]
    parameters: Sequence[str] = ()
    alignment: OnlineAlignment | None = None


def segmenter_parser(description: str | None) -> ArgumentParser:
    """A parser with the flags of both programs."""
    flags = parser(description, device=True)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--root", type=Path, required=True)
    flags.add_argument("--classes", nargs="+", required=True)
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--text", type=existing, nargs="?", help="where segmenter.text is true")
    flags.add_argument("--segmenter", type=Segmenter.model_validate_json, required=True)
    flags.add_argument("--seed", type=int, required=True)
    flags.add_argument("--work", type=Path, required=True)
    flags.add_argument("--output", type=Path, required=True)
    flags.add_argument("--description", type=Path, required=True)
    flags.add_argument("--nodes", type=int, default=1, help="of the job of SLURM; more need srun")
    flags.add_argument(
        "--processes",
        type=int,
        help="on each node; left out: one per visible GPU, as far as micro-batches go round",
    )
    return flags


def train_on(lessons: Lessons, arguments: Namespace, program: str) -> None:
    """Train on as many processes of the `program` as there are GPUs to share an iteration."""
    from ssr.backbones.devices import choose_device
    from ssr.running.distributed import Resources, joined, launch

    device = choose_device(arguments.device)
    given = Resources(device, arguments.threads, arguments.nodes, arguments.processes)
    # What is wrong with the texts, as with the lessons, is said once, not by every process.
    texts = _texts(arguments)
    parts = arguments.segmenter.micro_batches
    launch(program, given, parts)
    with joined(given, parts) as own:
        _train(lessons, arguments, program, texts, own)


def _texts(arguments: Namespace) -> TextEmbeddings | None:
    """The texts that the segmenter reads, if any."""
    from ssr.backbones.text import TextEmbeddings

    if not arguments.segmenter.reads_text:
        return None
    if arguments.text is None:
        raise InputError("--text is missing, and segmenter.text is true")
    texts = TextEmbeddings.read(arguments.text)
    named = texts.names[: len(texts.classes)].tolist()
    if named != arguments.classes:
        raise InputError(f"{arguments.text}: must be of {arguments.classes}, came {named}")
    return texts


def _dataset(lessons: Lessons, arguments: Namespace) -> SegmentationDataset:
    from ssr.segmenter.dataset import SegmentationDataset, augmentation

    settings: Segmenter = arguments.segmenter
    return SegmentationDataset(
        lessons.images,
        arguments.root,
        lessons.read_labels,
        augmentation(settings.crop_size, settings.scale_range),
        arguments.seed,
    )


def _train(
    lessons: Lessons,
    arguments: Namespace,
    program: str,
    texts: TextEmbeddings | None,
    own: Resources,
) -> None:
    """Train; the first process exports, and clears the checkpoints."""
    import torch
    from mmengine.dist import is_main_process

    from ssr.running import checkpoints
    from ssr.segmenter import model
    from ssr.segmenter.training import Place, train

    settings: Segmenter = arguments.segmenter
    classes = ["background", *arguments.classes]
    torch.manual_seed(arguments.seed)
    heads = lessons.alignment.heads if lessons.alignment else None
    config = model.model_config(
        settings, arguments.backbone, len(classes), len(texts.names) if texts else 0, heads
    )
    work = arguments.work / _fingerprint(lessons, arguments, program, classes)
    # Labels that are made as heads learn are made in this process.
    workers = own.threads - 1 if own.device.type == "cuda" and heads is None else 0
    place = Place(work, own.device, workers)
    dataset = _dataset(lessons, arguments)
    with without_compiler():
        built = model.build(config, texts, heads)
        trained = train(built, dataset, settings, arguments.seed, place, lessons.alignment)
    if is_main_process():
        shutil.copyfile(work / "history.csv", arguments.output.with_name("history.csv"))
        model.export(trained, config, classes, arguments.output, arguments.description)
        checkpoints.remove(work)


def _fingerprint(
    lessons: Lessons, arguments: Namespace, program: str, classes: Sequence[str]
) -> str:
    from ssr.running import checkpoints

    backbone, settings = arguments.backbone, arguments.segmenter
    parameters = [
        code_hash(program),
        json.dumps(classes),
        backbone.canonical(),
        settings.canonical(),
        str(arguments.seed),
        *lessons.parameters,
    ]
    named = [backbone.model, backbone.weights, settings.config or ""]
    texts = [arguments.text] if settings.reads_text else []
    inputs = [arguments.index, *lessons.files, *texts, *filter(Path.is_file, map(Path, named))]
    return checkpoints.fingerprint(parameters, inputs)
