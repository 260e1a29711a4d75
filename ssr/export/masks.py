"""Label maps of a run, or of `ssr predict`, as annotation tools import them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from ssr.annotation.formats import WRITERS
from ssr.annotation.labelled import LabelledImage
from ssr.errors import InputError
from ssr.export.places import require_free
from ssr.predict.folder import is_predicted, read_predictions
from ssr.results import open_results

STAGES = ("predictions", "pseudo_labels")
"""Of a run, those that are label maps."""


def write_masks(
    source: Path, tool: str, out: Path, stage: str | None, method: str | None
) -> list[Path]:
    """Write the masks of a run, or those that `ssr predict` wrote; the files and folders.

    Args:
        source: folder of the run, or of the predictions.
        tool: one of `WRITERS`.
        out: it is not there, or empty.
        stage: of a run, one of `STAGES`; None: the first.
        method: of a run; None: the first.

    Raises:
        InputError: there are no masks, or something is in their place.
    """
    require_free(out, "--out")
    if not is_predicted(source):
        classes, images = _run(source, stage, method)
    elif stage or method:
        raise InputError(f"{source}: is of ssr predict; --stage and --method are of a run")
    else:
        classes, images = _predicted(source)
    WRITERS[tool](out, _counted(images, source), classes)
    return sorted(out.iterdir())


def _counted(images: Iterable[LabelledImage], source: Path) -> Iterator[LabelledImage]:
    """The images; how many there were is printed, for a run may not have ended."""
    number = 0
    for image in images:
        number += 1
        yield image
    if not number:
        raise InputError(f"{source}: holds no masks")
    print(f"masks of {number} images")


def _predicted(folder: Path) -> tuple[list[str], Iterator[LabelledImage]]:
    classes, predictions = read_predictions(folder)
    return classes, (LabelledImage(name, labels) for name, labels in predictions)


def _run(
    folder: Path, stage: str | None, method: str | None
) -> tuple[list[str], Iterator[LabelledImage]]:
    results = open_results(folder)
    chosen = method or next(iter(results.config.methods))
    labelled = results[f"{stage or STAGES[0]}/{chosen}"]
    names = {name: PurePosixPath(image.image).name for name, image in results.images.items()}
    images = (LabelledImage(names[name], labelled[name]["labels"]) for name in labelled)
    return list(results.config.data.classes), images
