"""Which image belongs to which split and shard: cheap, known before any image is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from ssr.config import Config, Data
from ssr.config.methods import merge, method_config
from ssr.config.settings import parse_config
from ssr.data import coco, demo, folder, voc
from ssr.data.label_files import read_ids
from ssr.data.source import SPLITS
from ssr.errors import InputError

_LISTS = {
    "demo": demo.list_ids,
    "folder": folder.list_ids,
    "voc": voc.list_ids,
    "coco": coco.list_ids,
}
_FOLDERS = {
    "demo": folder.FOLDERS,
    "folder": folder.FOLDERS,
    "voc": voc.FOLDERS,
    "coco": coco.FOLDERS,
}


def split_ids(settings: Data) -> dict[str, list[str]]:
    """Sorted ids of each split, without a look at the images.

    Reads the lists or labels.csv only; for the demo, which may not be made yet, nothing at all.

    Raises:
        InputError: a list or labels.csv is missing, or a file lies where a folder should.
    """
    _refuse_files_for_folders(settings)
    return assign(_LISTS[settings.format](settings), settings)


def _refuse_files_for_folders(settings: Data) -> None:
    """What is missing is named by whoever looks for it."""
    root = Path(settings.root)
    folders = dict.fromkeys((root / name for name in _FOLDERS[settings.format]), "")
    if settings.masks is not None:
        folders[root / settings.masks] = " (data.masks)"
    for path, setting in {root: " (data.root)", **folders}.items():
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}{setting}: wanted a folder, came a file")


def assign(listed: Mapping[str, Sequence[str]], settings: Data) -> dict[str, list[str]]:
    """Sort the listed ids; without a list for tune, set images aside for it from train."""
    # Not through a set, which takes more memory than millions of ids.
    splits = {
        split: [image_id for image_id, _ in groupby(sorted(listed[split]))] for split in SPLITS
    }
    if settings.splits.tune is None:
        splits["tune"] = _evenly_spaced(splits["train"], settings.tune_images)
        held = set(splits["tune"])
        splits["train"] = [image_id for image_id in splits["train"] if image_id not in held]
    return splits


def without_missing_masks(config: Config) -> Config:
    """`config`, with `data.masks: null` where there is no folder of the default name.

    A folder of another name was asked for, and is missed. The demo's is still to be made.

    Raises:
        InputError: another setting needs masks.
    """
    data, default = config.data, Data.model_fields["masks"].default
    folder = Path(data.root, default)
    expected = data.masks == default and data.format != "demo" and folder.parent.is_dir()
    if not expected or folder.exists():
        return config
    try:
        return parse_config(merge(config.model_dump(), {"data": {"masks": None}}))
    except InputError as error:
        raise InputError(f"{folder}: no such folder, so data.masks is null, but {error}") from None


def required(settings: Data) -> list[str]:
    """The splits that must hold images: those listed, and tune, which may be set aside.

    Without masks nothing is tuned or evaluated, and neither tune nor val is needed.
    """
    listed = [split for split, name in settings.splits.model_dump().items() if name is not None]
    if settings.masks is None:
        return [split for split in SPLITS if split in listed and split in ("train", "test")]
    return [split for split in SPLITS if split in (*listed, "tune")]


def usable_ids(config: Config) -> dict[str, list[str]]:
    """`split_ids`, known before any image is opened, of a data set that the settings can use.

    Raises:
        InputError: a list is missing, a split that is needed has no image, or train has fewer
            images than a method wants clusters.
    """
    ids = split_ids(config.data)
    for split in required(config.data):
        if not ids[split]:
            raise InputError(_why_empty(config.data, split, ids))
    _check_clusters(config, len(ids["train"]))
    if config.data.masks is not None:
        _check_reported(config, ids)
    return ids


def _why_empty(settings: Data, split: str, ids: Mapping[str, Sequence[str]]) -> str:
    chosen, set_aside = getattr(settings.splits, split), settings.tune_images
    if split == "train" and settings.splits.tune is None and ids["tune"]:
        return f"data.tune_images: {set_aside} are set aside of the {len(ids['tune'])} in {chosen}"
    where = "the null list, and data.tune_images is 0" if chosen is None else chosen
    return f"data.splits.{split}: there is no image in {where}"


def _check_clusters(config: Config, images: int) -> None:
    """K-means needs a sample for each cluster; an image with labels gives one at least."""
    for method in config.methods:
        settings = method_config(config, method)
        own = settings.prototypes.clusters
        clusters = own or len(config.data.classes)
        if settings.alignment.enabled and clusters > images:
            raise InputError(
                f"prototypes.clusters of method {method}: at most {images}, the images of train; "
                f"came {clusters}{'' if own else ' (null: one per class)'}"
            )


def _check_reported(config: Config, ids: Mapping[str, Sequence[str]]) -> None:
    reported = config.evaluation
    for name in ("cam_split", "prediction_split"):
        split = getattr(reported, name)
        if not ids[split]:
            raise InputError(f"evaluation.{name}: there is no image in {split}")
    if path := cam_list(config):
        try:
            listed = read_ids(path)
        except FileNotFoundError:
            raise InputError(f"evaluation.cam_list: {path}: no such file") from None
        if not set(listed) & set(ids[reported.cam_split]):
            raise InputError(f"evaluation.cam_list: {path} names no image of {reported.cam_split}")


def cam_list(config: Config) -> str | None:
    """The file of ids to which the figures of CAMs and pseudo-labels are restricted."""
    name = config.evaluation.cam_list
    if name is None:
        return None
    is_voc = config.data.format == "voc"
    return str(voc.list_path(config.data, name) if is_voc else Path(config.data.root) / name)


def shard_names(counts: Mapping[str, int], shard_size: int) -> dict[str, list[str]]:
    """Names of the shards of each split, such as train_0003, for splits of these sizes."""
    return {
        split: [f"{split}_{number:04d}" for number in range(-(-count // shard_size))]
        for split, count in counts.items()
    }


def _evenly_spaced(ids: Sequence[str], count: int) -> list[str]:
    count = min(count, len(ids))
    return [ids[(2 * number + 1) * len(ids) // (2 * count)] for number in range(count)]
