"""The files on which an index rests, and whether they are those that were indexed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from ssr.config import Data
from ssr.data import coco, demo, folder, voc
from ssr.data.ids import is_plain
from ssr.data.parts import KNOWN_BEFORE, image_states, mask_states
from ssr.running.contents import Standing

Splits = Mapping[str, Sequence[str]]

_FILES = {
    "demo": demo.list_files,
    "folder": folder.list_files,
    "voc": voc.list_files,
    "coco": coco.list_files,
}
INDEX, MASKS = "index/index.parquet", "index/masks.parquet"
# Where a run keeps the states for its jobs, as `ssr.config.settings.freeze` its configuration.
KEPT = "SSR_FILES"


def index_files(settings: Data, splits: Splits) -> list[str]:
    """Images, and what holds their labels, relative to the root.

    Not the lists, which `splits` stand for; nor COCO's instances files, read by stages before.
    """
    return _FILES[settings.format](settings, _plain(splits))


def mask_files(settings: Data, splits: Splits) -> list[str]:
    """Where the mask of each image is or could be; none where masks are drawn from annotations."""
    drawn = settings.format == "coco" and settings.masks == coco.ANNOTATIONS
    if settings.masks is None or drawn:
        return []
    ids = dict.fromkeys(chain.from_iterable(_plain(splits).values()))
    return [f"{settings.masks}/{image_id}.png" for image_id in ids]


def kept_states(
    settings: Data, splits: Splits, results: str, starts: bool, others: Sequence[str] = ()
) -> dict[str, str]:
    """What stands for the files of which each path below `results` is made, when a run `starts`.

    And, as "splits", for which image is in which; and, where files and labels are there before a
    run, for parts of the data set: see `ssr.data.parts`, with `others`. In a job, what stood for
    them when its run started: to look at the files of a large data set takes a second.
    """
    if starts:
        made = {
            path: Standing.of(Path(results, path), root, names)
            for path, (root, names) in made_of(settings, splits).items()
        }
        divided = hashlib.sha256(json.dumps(splits).encode()).hexdigest()[:12]
        states = {path: standing.state for path, standing in made.items()}
        states["splits"] = f"splits {divided}"
        if settings.format in KNOWN_BEFORE:
            plain, images, masks = _plain(splits), made[INDEX].first, made[MASKS].first
            states |= image_states(settings, plain, images, others)
            states |= mask_states(settings, plain, masks, others)
        os.environ[KEPT] = json.dumps(states)
    return dict(json.loads(os.environ[KEPT]))


def made_of(settings: Data, splits: Splits) -> dict[str, tuple[Path, list[str]]]:
    """Folder and names of the files of which something below the results is made, by its path."""
    root = Path(settings.root)
    made = {
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


def _plain(splits: Splits) -> dict[str, list[str]]:
    """What can't be the name of a file is refused by the index stage."""
    return {split: [i for i in ids if is_plain(i)] for split, ids in splits.items()}
