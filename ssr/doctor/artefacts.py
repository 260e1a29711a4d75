"""Whether artefacts are what was written: seals, formats, and the images of a shard."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shlex
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ssr.artefacts.seals import verify
from ssr.artefacts.store import open_shards
from ssr.config.coverage import FOLDERS, OF_LABELS
from ssr.data.images import open_image
from ssr.data.index import Image, Index
from ssr.data.pngs import open_pngs
from ssr.doctor.findings import Finding
from ssr.errors import InputError
from ssr.running.progress import progress

_KIND = "damaged"
_SEALED = {".zip", ".npz", ".safetensors", ".parquet"}
_SEALED_JSON = {"evaluation", "segmenter"}
_OF_LABELLED = {Path(FOLDERS[stage]).parts[0] for stage in OF_LABELS}
_CHUNK = 1 << 20


def damaged(results: Path, paths: Sequence[Path], outputs: Collection[Path] = ()) -> list[Finding]:
    """Read all artefacts, given relative to `results`, as many at once as there are cores.

    `outputs` are the files that Snakemake knows: what is written beside one is made anew with it.
    """
    index = _index(results)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = pool.map(partial(_damage, results, index), paths)
        reasons = list(progress(found, len(paths), "artefacts read"))
    return [
        Finding(_KIND, f"{results / path}: {reason}", _removal(results / path, outputs))
        for path, reason in zip(paths, reasons, strict=True)
        if reason
    ]


def _removal(path: Path, outputs: Collection[Path]) -> str:
    """The command after which Snakemake makes a file anew."""
    near = [other for other in outputs if other.parent in (path.parent, path.parent.parent)]
    beside = [] if path in outputs else sorted(near)
    return shlex.join(["rm", str(path), *map(str, beside)])


def _index(results: Path) -> Index | None:
    try:
        return Index.read(results / "index/index.parquet")
    except InputError:
        return None


def _damage(results: Path, index: Index | None, path: Path) -> str | None:
    """What is wrong with one artefact."""
    try:
        _read(results / path, sealed=_is_sealed(path))
        if index and path.suffix == ".zip" and path.parts[0] != "annotations":
            _compare_ids(results / path, path.parts[0], index)
    except InputError as error:
        return str(error).removeprefix(f"{results / path}: ").partition("; delete")[0]
    except Exception as error:  # the libraries of many formats share no narrower base
        return f"cannot be read ({error!r})"
    return None


def _is_sealed(path: Path) -> bool:
    return path.suffix in _SEALED or (path.suffix == ".json" and path.parts[0] in _SEALED_JSON)


def _read(path: Path, sealed: bool) -> None:
    """Read a file whole; raise whatever its format's reader raises."""
    if sealed:
        verify(path, required=True)
    if path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".csv":
        with path.open(newline="") as file:
            columns = {len(row) for row in csv.reader(file)}
        if len(columns) != 1:
            raise InputError(f"{path}: has rows of {sorted(columns)} columns")
    elif path.suffix == ".png":
        with open_image(path) as picture:
            picture.verify()  # the checksums of all chunks
        with open_image(path) as picture:
            picture.load()
    elif path.suffix == ".gz":
        with gzip.open(path) as archive:
            while archive.read(_CHUNK):
                pass


def _compare_ids(path: Path, stage: str, index: Index) -> None:
    """Compare the images of a store with those of its shard.

    Raises:
        InputError: images are missing, or of another shard.
    """
    stored = set((open_shards if path.name.endswith(".zarr.zip") else open_pngs)([path]).ids)
    images = index.shard(path.name.partition(".")[0])
    needed = {image.id for image in images if image.labels or stage not in _OF_LABELLED}
    if missing := sorted(needed - stored):
        raise InputError(f"{path}: lacks {_few(missing)} of its shard")
    if others := sorted(stored - _ids(images)):
        raise InputError(f"{path}: holds {_few(others)} of another shard")


def _ids(images: Sequence[Image]) -> set[str]:
    return {image.id for image in images}


def _few(ids: Sequence[str]) -> str:
    return f"image {ids[0]}" + (f" and {len(ids) - 1} more" if len(ids) > 1 else "")
