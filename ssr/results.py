"""What a run made, opened for reading: `open_results("results/voc")["cams/refined/ssr"]["000032"]`.

Nothing is read before it is asked for, and only the stores of the images that are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache, partial
from pathlib import Path

import numpy as np

from ssr.artefacts.store import Shards, open_shards
from ssr.config.settings import (
    ALIGNED,
    FINISHED,
    LABELLED,
    PREDICTED,
    REFINED,
    method_config,
    owner,
    recorded,
)
from ssr.data.index import Index
from ssr.data.masks import Masks
from ssr.data.pngs import Pngs, open_pngs
from ssr.errors import InputError

_SHARED = ("features", "superpixels", "cams/initial")
# Stages of which every method has its own, and the settings that they depend on.
_OF_METHODS = {
    "cams/aligned": ALIGNED,
    "cams/refined": REFINED,
    "pseudo_labels": LABELLED,
    "logits": PREDICTED,
    "predictions": FINISHED,
}
# As many files as Archives keeps open itself.
_MOST_OPEN = 256


class MissingError(InputError, KeyError):
    """A stage, an image or an array that is not there."""

    __str__ = Exception.__str__


class Arrays(Mapping[str, np.ndarray]):
    """The arrays of one image by their name, each read when it is asked for."""

    def __init__(self, names: tuple[str, ...], read: Callable[[str], np.ndarray]) -> None:
        self._names = names
        self._read = read

    def __getitem__(self, name: str) -> np.ndarray:
        """One array; it is read anew, and the caller's own.

        Raises:
            MissingError: no array has this name.
            InputError: the store is damaged.
        """
        if name not in self._names:
            raise MissingError(f"no array is named {name}; there are {', '.join(self._names)}")
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Stage(Mapping[str, Arrays]):
    """The images of one stage by their id, in the order of the index.

    Attributes:
        folder: where its stores lie.

    Raises:
        MissingError: there are none.
    """

    def __init__(self, folder: Path, shards: Mapping[str, str]) -> None:
        self.folder = folder
        self._shards = shards
        self._files = {path.name.partition(".")[0]: path for path in folder.glob("*.zip")}
        if not self._files:
            raise MissingError(f"{folder} holds no stores: this stage has not run")

    def __getitem__(self, image_id: str) -> Arrays:
        """The arrays of one image; those of label maps are named "labels", (H, W) uint8.

        Raises:
            MissingError: the stage has not seen an image of this id.
            InputError: the store is damaged.
        """
        store = self._open(self._shards.get(image_id, ""))
        if store is None or image_id not in store:
            raise MissingError(f"image {image_id} is not in {self.folder}")
        if isinstance(store, Pngs):
            return Arrays(("labels",), lambda _: store.read(image_id))
        return Arrays(store.names(image_id), partial(store.read, image_id))

    def __iter__(self) -> Iterator[str]:
        for store in map(self._open, dict.fromkeys(self._shards.values())):
            yield from store.ids if store else ()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _open(self, shard: str) -> Shards | Pngs | None:
        """The store of a shard; None: it has not been made."""
        path = self._files.get(shard)
        return _open(path, path.stat().st_mtime_ns) if path else None


class Results(Mapping[str, Stage]):
    """The stages of a run, named "features", "cams/initial", "cams/refined/METHOD" and so on.

    What methods share is found under the name of each. The words of a name may come in any order.
    Iteration gives the stages that have run.

    Attributes:
        folder: results/{dataset}.
        config: the settings of the last run, with absolute paths.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.config = recorded(self.folder)
        self._names = {_words(name): name for name in self._folders}

    @cached_property
    def index(self) -> Index:
        """Every image with its size, split, labels and shard."""
        return Index.read(self.folder / "index/index.parquet")

    @cached_property
    def masks(self) -> Masks:
        """The ground truth, as far as there is any."""
        return Masks.read(self.folder / "index/masks.parquet", self.config.data.root)

    def __getitem__(self, name: str) -> Stage:
        """A stage, with the shards that are made by now.

        Raises:
            MissingError: no stage has this name, or it has not run.
        """
        known = self._names.get(_words(name))
        if known is None:
            raise MissingError(f"no stage is named {name}; there are {', '.join(self._folders)}")
        return Stage(self.folder / self._folders[known], self._shards)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._folders if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def _folders(self) -> dict[str, str]:
        """The folder of each stage that there may be: that of the method which owns it."""
        folders = {name: name for name in _SHARED}
        for stage, sections in _OF_METHODS.items():
            for method in self.config.methods:
                aligned = method_config(self.config, method).alignment.enabled
                if aligned or stage != "cams/aligned":
                    owned = owner(self.config, method, sections)
                    folders[f"{stage}/{method}"] = f"{stage}/{owned}"
        return folders

    @cached_property
    def _shards(self) -> dict[str, str]:
        """The shard of each image, in the order of the index."""
        return {image.id: image.shard for image in self.index.images}


def open_results(folder: str | Path) -> Results:
    """Open `folder`, results/{dataset}, of a run that has ended or is still under way.

    Raises:
        InputError: it is no such folder, or no run has recorded its configuration there.
    """
    return Results(folder)


def _words(name: str) -> tuple[str, ...]:
    return tuple(sorted(name.split("/")))


# A store that was made anew is opened anew.
@lru_cache(maxsize=_MOST_OPEN)
def _open(path: Path, changed: int) -> Shards | Pngs:
    return (open_shards if path.name.endswith(".zarr.zip") else open_pngs)([path])
