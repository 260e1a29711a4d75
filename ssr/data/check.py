"""Read a data set and check everything in it, before any expensive job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ssr.config import Data, Images
from ssr.config.shards import shard_size
from ssr.data import coco, folder, voc
from ssr.data.agreement import compare_masks
from ssr.data.findings import Findings
from ssr.data.ids import ALLOWED, is_plain
from ssr.data.images import patch_grid
from ssr.data.index import Image, Index
from ssr.data.inspection import inspect_images, inspect_masks
from ssr.data.masks import Masks
from ssr.data.sightings import Sightings
from ssr.data.source import SPLITS, Source
from ssr.data.splits import assign, required, shard_names
from ssr.labels import BACKGROUND, IGNORE

# Where nobody says how images become patches, every pixel is one.
_PIXELS = (Images(patch=1),)
_NONE = Sightings()
_FORMATS = {"demo": folder, "folder": folder, "voc": voc, "coco": coco}


@dataclass(frozen=True)
class Checked:
    """A data set that can be used: its index, its masks and warnings."""

    index: Index
    masks: Masks
    warnings: list[str]


def check_dataset(
    settings: Data,
    processes: int = 1,
    derived: Path = Path(),
    images: Sequence[Images] = _PIXELS,
    known: Sightings = _NONE,
) -> Checked:
    """Look at every image and mask, and index what they are; warnings are of images.

    Images without a label are kept, to be predicted. Masks are looked for in the folder
    `settings.masks`, if there is one: tune and val need one for each image, the others may have
    some.

    Args:
        settings: of the data set.
        processes: how many images are looked at at the same time.
        derived: folder of what was derived from COCO's instances files.
        images: how they become patches, by method. What has a single one is left out of training.
        known: what was seen before in files, which are not decoded again; takes what is seen now.

    Raises:
        InputError: all problems in one report, each kind with its count and first examples.
    """
    findings, of_masks = Findings(), Findings()
    form = _FORMATS[settings.format]
    listed = form.list_ids(settings)
    _check_ids(listed, findings)
    splits = assign(listed, settings)
    _check_splits(splits, required(settings), findings)
    ids = [i for i in chain.from_iterable(splits.values()) if is_plain(i)]
    sources = read_sources(settings, list(dict.fromkeys(ids)), findings, derived)
    labels = _class_indices(sources, settings.classes, findings)
    _name_unlabelled(labels, findings)
    sizes = inspect_images(settings, sources, processes, findings, known)
    masks = _find_masks(settings, sources, splits, of_masks, derived)
    shown = inspect_masks(settings, sizes, masks, processes, of_masks, known)
    compare_masks(shown, labels, settings.classes, of_masks)
    train = [image_id for image_id in splits["train"] if labels.get(image_id)]
    single = list(_single_patches(sizes, train, images))
    for image_id in single:
        labels[image_id] = ()
        findings.warning("image of a single patch, left out of training", image_id)
    if single and single == train:
        findings.problem("split whose labelled images are all of a single patch", "train")
    else:
        _check_train(labels, splits["train"], settings.classes, findings)
    findings.take_problems(of_masks)
    findings.raise_problems(settings.root)
    index = _index(splits, sources, sizes, labels, settings)
    return Checked(index, masks, findings.warnings)


def check_masks(
    settings: Data,
    index: Index,
    processes: int = 1,
    derived: Path = Path(),
    known: Sightings = _NONE,
) -> Checked:
    """Look at every mask, and hold it against the index; warnings are of masks.

    Raises:
        InputError: all problems in one report.
    """
    findings = Findings()
    splits = {split: [image.id for image in index.split(split)] for split in SPLITS}
    sources = {image.id: Source(image.image, ()) for image in index.images}
    sizes = {image.id: (image.height, image.width) for image in index.images}
    labels = {image.id: image.labels for image in index.images}
    masks = _find_masks(settings, sources, splits, findings, derived)
    shown = inspect_masks(settings, sizes, masks, processes, findings, known)
    compare_masks(shown, labels, settings.classes, findings)
    findings.raise_problems(settings.root)
    return Checked(index, masks, findings.warnings)


def _check_ids(listed: Mapping[str, Sequence[str]], findings: Findings) -> None:
    for split, ids in listed.items():
        for image_id, count in Counter(ids).items():
            if count > 1:
                findings.problem("duplicate id", f"{image_id} ({count} times in {split})")
            if not is_plain(image_id):
                kind = f"id that can't be the name of a file ({ALLOWED})"
                findings.problem(kind, ascii(image_id))


def _check_splits(
    splits: Mapping[str, Sequence[str]], required: Sequence[str], findings: Findings
) -> None:
    holders: dict[str, list[str]] = {}
    for split, ids in splits.items():
        if not ids and split in required:
            findings.problem("empty split", split)
        for image_id in ids:
            holders.setdefault(image_id, []).append(split)
    for image_id, held in holders.items():
        if len(held) > 1:
            findings.problem("image in two splits", f"{image_id} ({', '.join(held)})")


def read_sources(
    settings: Data, ids: Sequence[str], findings: Findings, derived: Path = Path()
) -> dict[str, Source]:
    """Image file and label names of each of `ids`, as they come, in any format.

    Raises:
        InputError: what holds the labels is missing or of another form.
    """
    if settings.format == "coco":
        return coco.read_sources(settings, ids, findings, derived)
    return _FORMATS[settings.format].read_sources(settings, ids, findings)


def _class_indices(
    sources: Mapping[str, Source], classes: Sequence[str], findings: Findings
) -> dict[str, tuple[int, ...]]:
    """Class indices 1..C of each image, ascending."""
    index = {name: number for number, name in enumerate(classes, start=1)}
    for image_id, source in sources.items():
        for name in source.labels:
            if name not in index:
                findings.problem("label not among data.classes", f"{name!r} of {image_id}")
    return {
        image_id: tuple(sorted({index[name] for name in source.labels if name in index}))
        for image_id, source in sources.items()
    }


def _name_unlabelled(labels: Mapping[str, tuple[int, ...]], findings: Findings) -> None:
    for image_id, own in labels.items():
        if not own:
            findings.warning(
                "image without a label, kept for prediction, left out of training", image_id
            )


def _single_patches(
    sizes: Mapping[str, tuple[int, int]], ids: Sequence[str], images: Sequence[Images]
) -> Iterator[str]:
    """Images that are one patch: no map of classes can say where in it they are."""
    for image_id in ids:
        size = sizes.get(image_id)
        if size and (1, 1) in (patch_grid(*size, own.patch, own.max_side) for own in images):
            yield image_id


def _check_train(
    labels: Mapping[str, tuple[int, ...]],
    train: Sequence[str],
    classes: Sequence[str],
    findings: Findings,
) -> None:
    own = [labels[image_id] for image_id in train if image_id in labels]
    seen = set(chain.from_iterable(own))
    if own and not seen:
        findings.problem("split without any label", "train")
    for number, name in enumerate(classes, start=1):
        if seen and number not in seen:
            findings.warning("class without an image in train", name)


def _find_masks(
    settings: Data,
    sources: Mapping[str, Source],
    splits: Mapping[str, Sequence[str]],
    findings: Findings,
    derived: Path,
) -> Masks:
    root = Path(settings.root)
    if settings.format == "coco" and settings.masks == coco.ANNOTATIONS:
        test = set(splits["test"])
        own = {i: source for i, source in sources.items() if i not in test}
        return Masks(coco.mask_references(own, derived), root)
    if settings.masks is None:
        findings.warning("data set without masks: nothing is tuned or evaluated", settings.root)
        for image_id in chain(splits["tune"], splits["val"]):
            findings.warning("image of tune or val, not used without masks", image_id)
        return Masks({}, root)
    folder = root / settings.masks
    if not folder.is_dir():
        findings.problem(
            "missing folder of masks (data.masks: null where there are none)", str(folder)
        )
        return Masks({}, root)
    present = {path.name for path in folder.iterdir()}
    for image_id in chain(splits["tune"], splits["val"]):
        if image_id in sources and f"{image_id}.png" not in present:
            findings.problem("missing mask", f"{settings.masks}/{image_id}.png")
    found = [image_id for image_id in sources if f"{image_id}.png" in present]
    return Masks({i: f"{settings.masks}/{i}.png" for i in found}, root, _colours(settings))


def _colours(settings: Data) -> dict[int, int]:
    """Index of each colour 0xRRGGBB."""
    index = {"background": BACKGROUND, "ignore": IGNORE}
    index |= {name: number for number, name in enumerate(settings.classes, start=1)}
    return {int(colour[1:], 16): index[name] for name, colour in settings.mask_colours.items()}


def _index(
    splits: Mapping[str, Sequence[str]],
    sources: Mapping[str, Source],
    sizes: Mapping[str, tuple[int, int]],
    labels: Mapping[str, tuple[int, ...]],
    settings: Data,
) -> Index:
    counts = {split: len(ids) for split, ids in splits.items()}
    size = shard_size(settings, sum(counts.values()))
    shards = shard_names(counts, size)
    images = []
    for split in SPLITS:
        for position, image_id in enumerate(splits[split]):
            (height, width), own = sizes[image_id], labels[image_id]
            shard = shards[split][position // size]
            image = sources[image_id].image
            images.append(Image(image_id, image, width, height, split, own, shard))
    return Index(tuple(images))
