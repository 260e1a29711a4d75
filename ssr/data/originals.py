"""The files on which an index rests, and whether they are those that were indexed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from ssr.config import Data
from ssr.data import coco, demo, folder, voc
from ssr.data.ids import is_plain
from ssr.data.parts import are_told_apart, image_states, mask_states
from ssr.running.contents import first_looks, state_of

Splits = Mapping[str, Sequence[str]]

_FILES = {
    "demo": demo.list_files,
    "folder": folder.list_files,
    "voc": voc.list_files,
    "coco": coco.list_files,
}
INDEX, MASKS = "index/index.parquet", "index/masks.parquet"
# Where a run keeps the states for its jobs, as `ssr.config.settings.freeze` its configuration.
KEPT, COUNTS = "SSR_FILES", "SSR_IMAGES"
# Ids that are put into words at a time.
_BATCH = 10_000


class _Names(Iterable[str]):
    """Names that are made anew whenever they are gone through: there may be millions."""

    def __init__(self, make: Callable[[], Iterator[str]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[str]:
        return self._make()


def index_files(settings: Data, splits: Splits) -> Iterable[str]:
    """Images, and what holds their labels, relative to the root.

    Not the lists, which `splits` stand for; nor COCO's instances files, read by stages before.
    """
    return _Names(partial(_FILES[settings.format], settings, _plain(splits)))


def mask_files(settings: Data, splits: Splits) -> Iterable[str]:
    """Where the mask of each image is or could be; none where masks are drawn from annotations."""
    drawn = settings.format == "coco" and settings.masks == coco.ANNOTATIONS
    if settings.masks is None or drawn:
        return []
    plain = _plain(splits)
    ids = partial(chain.from_iterable, plain.values())
    return _Names(lambda: (f"{settings.masks}/{image_id}.png" for image_id in ids()))


def kept_counts(ids: Callable[[], Splits], starts: bool) -> dict[str, int]:
    """How many images each split has; in a job, as its run found when it started.

    To read the lists of a large data set takes time and memory that a job has not asked for.
    """
    if starts:
        os.environ[COUNTS] = json.dumps({split: len(own) for split, own in ids().items()})
    return dict(json.loads(os.environ[COUNTS]))


def kept_states(
    settings: Data,
    ids: Callable[[], Splits],
    results: str,
    starts: bool,
    others: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, str]:
    """What stands for the files of which each path below `results` is made, when a run `starts`.

    And, as "splits", for which image is in which; and, where files and labels are there before a
    run, for parts of the data set: see `ssr.data.parts`, with `others` by path. In a job, what
    stood for them when its run started: to look at the files of a large data set takes a second.
    """
    if starts:
        splits = ids()
        made = made_of(settings, splits)
        states = {
            path: state_of(Path(results, path), root, names) for path, (root, names) in made.items()
        }
        states["splits"] = f"splits {_digest(splits)}"
        if are_told_apart(settings, splits):
            plain = {split: [*own] for split, own in _plain(splits).items()}
            images, masks = (
                first_looks(Path(results, path), *made[path]) for path in (INDEX, MASKS)
            )
            states |= image_states(settings, plain, images, others.get(INDEX, ()))
            states |= mask_states(settings, plain, masks, others.get(MASKS, ()))
        os.environ[KEPT] = json.dumps(states)
    return dict(json.loads(os.environ[KEPT]))


def _digest(splits: Splits) -> str:
    """Twelve hexadecimal digits that stand for which image is in which split."""
    digest = hashlib.sha256()
    for split, ids in splits.items():
        for start in range(0, len(ids), _BATCH):
            digest.update(json.dumps([split, *ids[start : start + _BATCH]]).encode())
    return digest.hexdigest()[:12]


def made_of(settings: Data, splits: Splits) -> dict[str, tuple[Path, Iterable[str]]]:
    """Folder and names of the files of which something below the results is made, by its path."""
    root = Path(settings.root)
    made: dict[str, tuple[Path, Iterable[str]]] = {
        INDEX: (root, index_files(settings, splits)),
        MASKS: (root, mask_files(settings, splits)),
    }
    if settings.format == "coco":
        derived = {
            **{coco.derived_labels(folder): folder for folder in coco.labelled_folders(settings)},
            **{coco.derived_masks(folder): folder for folder in coco.masked_folders(settings)},
        }
        for path, folder in derived.items():
            instances = coco.instances_file(settings, folder)
            made[path] = (instances.parent, [instances.name])
    return made


def _plain(splits: Splits) -> dict[str, Iterable[str]]:
    """What can't be the name of a file is refused by the index stage."""
    return {split: _Names(partial(filter, is_plain, ids)) for split, ids in splits.items()}
