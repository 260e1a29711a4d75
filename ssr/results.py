"""What a run made, opened for reading: `open_results("results/voc")["cams/refined/ssr"]["000032"]`.

Nothing is read before it is asked for, and only the stores of the images that are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ssr.artefacts.store import Shards, open_shards
from ssr.config.coverage import FOLDERS, NOT_YET, folder_of, why_absent, why_never
from ssr.config.methods import owner
from ssr.config.settings import recorded
from ssr.data.index import Image, Index
from ssr.data.masks import Masks
from ssr.data.pngs import Pngs, open_pngs
from ssr.errors import InputError
from ssr.evaluation.summary import read_summary
from ssr.running.places import locate
from ssr.watching.states import states

if TYPE_CHECKING:
    from ssr.predict.segmenter import TrainedSegmenter

# As many files as Archives keeps open itself.
_MOST_OPEN = 256


class MissingError(InputError, KeyError):
    """A stage, an image or an array that is not there; `why` says the reason alone."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.why = why

    def __str__(self) -> str:
        return ": ".join(map(str, self.args))


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
            raise MissingError(f"no array is named {name}", f"there are {', '.join(self._names)}")
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Stage(Mapping[str, Arrays]):
    """The images of one stage by their id, in the order of the index.

    Attributes:
        name: as in `Results`.
        folder: where its stores lie.

    Args:
        name: its name.
        folder: its folder.
        images: all of the index, by their id.
        why: why an image is not there.

    Raises:
        MissingError: there are none.
    """

    def __init__(
        self, name: str, folder: Path, images: Mapping[str, Image], why: Callable[[Image], str]
    ) -> None:
        self.name = name
        self.folder = folder
        self._images = images
        self._why = why
        self._files = {path.name.partition(".")[0]: path for path in folder.glob("*.zip")}
        if not self._files:
            raise MissingError(name, NOT_YET)

    def __getitem__(self, image_id: str) -> Arrays:
        """The arrays of one image; those of label maps are named "labels", (H, W) uint8.

        Raises:
            MissingError: no image has this id, or the stage has not seen it.
            InputError: the store is damaged.
        """
        if image_id not in self._images:
            raise MissingError(f"image {image_id}", "the index has none of this id")
        image = self._images[image_id]
        store = self._open(image.shard)
        if store is None or image_id not in store:
            raise MissingError(f"{self.name} of image {image_id}", self._why(image))
        if isinstance(store, Pngs):
            return Arrays(("labels",), lambda _: store.read(image_id))
        return Arrays(store.names(image_id), partial(store.read, image_id))

    def __iter__(self) -> Iterator[str]:
        for store in map(self._open, dict.fromkeys(one.shard for one in self._images.values())):
            yield from store.ids if store else ()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _open(self, shard: str) -> Shards | Pngs | None:
        """The store of a shard; None: it has not been made."""
        path = self._files.get(shard)
        return _open(path, path.stat().st_mtime_ns) if path else None


class Results(Mapping[str, Stage]):
    """The stages of a run, named "features/METHOD", "cams/refined/METHOD" and so on.

    What methods share is found under the name of each. The words of a name may come in any order.
    Iteration gives the stages that have run.

    Attributes:
        folder: results/{dataset}.
        config: the settings of the last run, with absolute paths.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.config = recorded(self.folder)
        self._names = {_words(name): name for name in self._stages}

    @cached_property
    def index(self) -> Index:
        """Every image with its size, split, labels and shard."""
        return Index.read(self._table("index"))

    @cached_property
    def masks(self) -> Masks:
        """The ground truth, as far as there is any."""
        return Masks.read(self._table("masks"), self.config.data.root)

    @property
    def summary(self) -> list[dict[str, Any]]:
        """The rows of summary.json, all figures of each method and stage; none without masks."""
        path = self.folder / "summary.json"
        if not path.exists():
            raise MissingError(str(path), self.why_unmade("summary"))
        return read_summary(path)

    def _table(self, name: str) -> Path:
        path = self.folder / f"index/{name}.parquet"
        if not path.exists():
            raise MissingError(str(path), self.why_unmade(f"index/{name}"))
        return path

    def __getitem__(self, name: str) -> Stage:
        """A stage, with the shards that are made by now.

        Raises:
            MissingError: no stage has this name, its method does without it, or it has not run.
        """
        known = self._names.get(_words(name))
        if known is None:
            there = ", ".join(self._stages)
            raise MissingError(f"no stage is named {name}", f"there are {there}")
        stage, method = self._stages[known]
        if reason := why_never(self.config, method, stage):
            raise MissingError(known, reason)
        return Stage(
            known,
            self.place(stage, method),
            self.images,
            lambda image: self.why_absent(stage, method, image),
        )

    def segmenter(self, method: str | None = None, device: str = "auto") -> TrainedSegmenter:
        """What was trained, for any image: `results.segmenter("ssr")(image).labels`.

        Args:
            method: one of `segmenter_methods`; None: the first.
            device: auto, cpu or cuda.

        Raises:
            InputError: the method has no segmenter, or its training has not ended.
        """
        from ssr.predict.segmenter import open_segmenter

        return open_segmenter(self.folder, self.config, method, device)

    def why_absent(self, stage: str, method: str, image: Image) -> str:
        """Why an image is not in a stage, one of `ssr.config.coverage.FOLDERS`, of a method."""
        reason = why_absent(self.config, method, stage, image.split, labelled=bool(image.labels))
        if reason != NOT_YET:
            return reason
        made = self.place(stage, method).relative_to(self.folder)
        return self.why_unmade(f"{made}/{image.shard}")

    def why_unmade(self, path: str) -> str:
        """Why a run has not made a file: its job failed, is under way, or has not run yet.

        Args:
            path: relative to the folder of results; suffixes don't count.
        """
        known = states(self.folder).of(Path("results", self.config.dataset, path))
        return str(known or NOT_YET)

    def place(self, stage: str, method: str) -> Path:
        """The folder of a stage of a method, which may have the name of another."""
        return self.folder / self.name_of(stage, owner(self.config, method, stage))

    def name_of(self, stage: str, method: str) -> str:
        """Under which name a stage, one of `ssr.config.coverage.FOLDERS`, of a method is here."""
        return f"{folder_of(self.config, method, stage)}/{method}"

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._stages if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def _stages(self) -> dict[str, tuple[str, str]]:
        """Stage and method of every name that there may be."""
        return {
            self.name_of(stage, method): (stage, method)
            for stage in FOLDERS
            for method in self.config.methods
        }

    @cached_property
    def images(self) -> dict[str, Image]:
        """All images by their id, in the order of the index."""
        return {image.id: image for image in self.index.images}


def open_results(folder: str | Path) -> Results:
    """Open `folder`, results/{dataset}, of a run that has ended or is still under way.

    Raises:
        InputError: it is no such folder, or no run has recorded its configuration there.
    """
    return Results(locate(Path(folder)))


def _words(name: str) -> tuple[str, ...]:
    return tuple(sorted(name.split("/")))


# A store that was made anew is opened anew.
@lru_cache(maxsize=_MOST_OPEN)
def _open(path: Path, changed: int) -> Shards | Pngs:
    return (open_shards if path.name.endswith(".zarr.zip") else open_pngs)([path])
