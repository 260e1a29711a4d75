"""Whether a file of settings and its data set are sound, and what is doubtful in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from statistics import fmean
from typing import Any

import yaml

from ssr.config import Config, Data
from ssr.config.consistency import doubts
from ssr.config.duplicates import repeated_keys
from ssr.config.methods import merge, method_config
from ssr.config.settings import parse_config
from ssr.data import coco
from ssr.data.check import Checked, check_dataset, read_sources
from ssr.data.findings import Findings
from ssr.data.ids import is_plain
from ssr.data.images import patch_grid
from ssr.data.index import Index
from ssr.data.instances import read_scenes, write_labels, write_masks
from ssr.data.source import Source
from ssr.data.splits import usable_ids, without_missing_masks
from ssr.errors import InputError
from ssr.init.overlay import BELOW
from ssr.init.words import rare_words

_DEFAULTS = "config.yaml"
# A class that fewer images show is worth a word.
_FEW = 10
# Misspelt images that are named, and how much alike two names are, as difflib has it.
_MISSPELT, _ALIKE = 5, 0.8


def read_config(file: Path) -> Config:
    """The settings of a file that is laid over those for photographs.

    Raises:
        InputError: one line per finding.
    """
    files = [Path(_DEFAULTS), Path(BELOW), file]
    values = reduce(merge, [_values(each) for each in files])
    found = [line for each in files for line in repeated_keys(each)]
    return without_missing_masks(parse_config(values, found))


def _values(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{file}: cannot be read as YAML ({error})") from error
    if not isinstance(values, dict):
        raise InputError(f"{file}: wanted settings as key: value")
    return values


@dataclass(frozen=True)
class Labels:
    """Where each image lies and what it shows, before any is opened."""

    data: Data
    sources: Mapping[str, Source]

    @property
    def counts(self) -> Counter[str]:
        """How many images show each class; what is no class is left to the check."""
        return Counter(chain.from_iterable(own.labels for own in self.sources.values()))

    @property
    def unlabelled(self) -> int:
        """How many images have no label."""
        return sum(not own.labels for own in self.sources.values())

    def doubts(self) -> list[str]:
        """Images that are there by nearly their name alone, and classes of few images."""
        findings = Findings()
        for name, other in islice(self._misspelt(), _MISSPELT):
            findings.warning("image that is not there, but nearly", f"{name} ({other}?)")
        for name in self.data.classes:
            if "," in name:
                findings.warning("class with a comma: labels are parted by semicolons", name)
        few = (name for name in self.data.classes if self.counts[name] < _FEW)
        for name in few:
            near = get_close_matches(name, self.counts.keys() - {name}, n=1, cutoff=_ALIKE)
            like = "".join(f", like {other} with {self.counts[other]}" for other in near)
            kind = f"class that fewer than {_FEW} images show"
            findings.warning(kind, f"{name} ({self.counts[name]}{like})")
        return findings.warnings

    def _misspelt(self) -> Iterator[tuple[str, str]]:
        """Missing images, each with the file that no label names and that has its numbers."""
        named = {own.image for own in self.sources.values()}
        missing = sorted(image for image in named if not Path(self.data.root, image).is_file())
        folders = {PurePosixPath(image).parent for image in missing}
        there = (own / path.name for own in folders for path in Path(self.data.root, own).glob("*"))
        others: dict[str, dict[str, str]] = {}
        for path in there:
            if str(path) not in named:
                others.setdefault(_digits(path.name), {})[path.name.casefold()] = path.name
        for name in (PurePosixPath(image).name for image in missing):
            alike = others.get(_digits(name), {})
            for near in get_close_matches(name.casefold(), alike, n=1, cutoff=_ALIKE):
                yield name, alike[near]


def _digits(name: str) -> str:
    return "".join(filter(str.isdigit, name))


def read_labels(config: Config, derived: Path) -> Labels:
    """The labels of all images.

    Args:
        config: all settings.
        derived: an empty folder, for what is derived from COCO's instances files.

    Raises:
        InputError: a split or what holds the labels can't be used.
    """
    ids = usable_ids(config)
    if config.data.format == "coco":
        _derive(config.data, derived)
    images = list(dict.fromkeys(filter(is_plain, chain.from_iterable(ids.values()))))
    return Labels(config.data, read_sources(config.data, images, Findings(), derived))


def _derive(data: Data, derived: Path) -> None:
    masked = coco.masked_folders(data)
    for folder in dict.fromkeys([*coco.labelled_folders(data), *masked]):
        scenes = read_scenes(coco.instances_file(data, folder), data.classes)
        write_labels(derived / Path(coco.derived_labels(folder)).name, scenes)
        if folder in masked:
            write_masks(derived / Path(coco.derived_masks(folder)).name, scenes, processes=1)


def doubts_of(config: Config) -> list[str]:
    """What of the settings is hardly meant, and words that CLIP hardly knows."""
    rare = rare_words(map(config.text.prompt, config.data.classes))
    words = f"text.prompts: CLIP has hardly read {', '.join(rare)}; say it in common English words"
    return [*doubts(config), *([words] if rare else [])]


def check_images(config: Config, derived: Path, processes: int) -> Checked:
    """The data set, each image and mask opened once.

    Raises:
        InputError: all that is wrong.
    """
    settings = [method_config(config, method).images for method in config.methods]
    return check_dataset(config.data, processes, derived, list(dict.fromkeys(settings)))


def mean_patches(config: Config, index: Index) -> float:
    """How many patches an image has, on average."""
    own = config.images
    grids = [patch_grid(each.height, each.width, own.patch, own.max_side) for each in index.images]
    return fmean(rows * columns for rows, columns in grids)
