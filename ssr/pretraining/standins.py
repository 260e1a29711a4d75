"""Stand-ins for web-scale backbones: what their two programs share."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from ssr.config import Pretraining, Text
from ssr.data.index import Image
from ssr.errors import InputError
from ssr.pretraining.captions import Speaker
from ssr.pretraining.photograph_lessons import PhotographClipLessons, PhotographDinoLessons
from ssr.pretraining.photographs import Photographs, open_photographs, write_photographs
from ssr.pretraining.recipes import standin_views
from ssr.running import checkpoints
from ssr.running.progress import progress


def labelled(images: Sequence[Image]) -> list[Image]:
    """The images that have labels.

    Raises:
        InputError: there is none.
    """
    found = [image for image in images if image.labels]
    if not found:
        raise InputError("weights: train needs train images with labels; came none")
    return found


def work_folder(arguments: Namespace, parameters: Sequence[str]) -> Path:
    """The folder below `arguments.work` that belongs to these parameters, images and model."""
    files = [arguments.index, Path(arguments.model)]
    named = checkpoints.fingerprint(parameters, filter(Path.is_file, files))
    return Path(arguments.work) / named


def store(
    work: Path,
    images: Sequence[Image],
    root: Path,
    side: int,
    segments: int = 0,
    classes: int = 0,
) -> Photographs:
    """Store the images below `work`, where that isn't done yet, and map them.

    With `segments` their superpixels, with `classes` their labels come with them.
    """
    folder = work / "photographs"
    stored = write_photographs(folder, images, root, side, segments)
    for _ in progress(stored, len(images), "storing photographs"):
        pass
    return open_photographs(folder, images, classes, segments)


def clip_lessons(
    photographs: Photographs,
    settings: Pretraining,
    patch: int,
    classes: Sequence[str],
    text: Text,
) -> PhotographClipLessons:
    """Lessons in the pipeline's own prompts, so that the model knows all of their words."""
    speaker = Speaker(
        [text.prompt(name) for name in classes],
        text.offered_backgrounds,
        text.templates,
    )
    views = standin_views(settings, patch)
    return PhotographClipLessons(
        photographs, views, speaker, settings.kept_patches, settings.centre_prior
    )


def dino_lessons(
    photographs: Photographs, settings: Pretraining, patch: int
) -> PhotographDinoLessons:
    """Lessons of pairs of views."""
    return PhotographDinoLessons(photographs, standin_views(settings, patch))
