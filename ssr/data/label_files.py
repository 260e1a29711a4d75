"""Image-level labels of a whole data set from one file; its suffix says which form it has.

- `.json`: `{id: [name or index, …]}` or `{"classes": [background, …], "labels": {…}}`
- `.csv`: a table (see ssr.data.tables)
- `.txt`: lines `id index index …` that count from 0 at the first class
- `.npy`: a pickled dict `{id: one number per class}`, not zero where the class is present

An image may be named with or without the suffix of its file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ssr.data.findings import Findings
from ssr.data.tables import read_table
from ssr.data.texts import read_text
from ssr.errors import InputError

Labels = dict[str, tuple[str, ...]]
_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


def read_label_file(path: str | Path, classes: Sequence[str], findings: Findings) -> Labels:
    """Label names by image id. What is no class is handed on as it came, to be reported.

    Args:
        path: of the file.
        classes: names of the foreground classes, in the order of their index.
        findings: takes what is wrong with single lines of a table.

    Raises:
        InputError: the file is missing, or not of the form that its suffix says.
    """
    path = Path(path)
    if path.suffix not in _READERS:
        raise InputError(f"{path}: a labels file ends in {', '.join(_READERS)}")
    try:
        return _READERS[path.suffix](path, classes, findings)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (data.labels_file)") from None


def read_list(path: str | Path) -> dict[str, tuple[int, ...]]:
    """A list of lines `id index index …`, indices from 0; an id alone has no label.

    Raises:
        InputError: an index is no number, an id occurs twice, or it is no text in UTF-8.
        FileNotFoundError: there is no such file.
    """
    rows = [(number, line.split()) for number, line in enumerate(read_lines(path), start=1)]
    entries = ((row[0], _numbers(path, number, row[1:])) for number, row in rows if row)
    return _unique(path, entries)


def read_ids(path: str | Path) -> list[str]:
    """The first word of each line of a list, without the suffix of an image file.

    Raises:
        InputError: an id occurs twice, or it is no text in UTF-8.
        FileNotFoundError: there is no such file.
    """
    rows = map(str.split, read_lines(path))
    return list(_unique(path, ((words[0], None) for words in rows if words)))


def read_lines(path: str | Path) -> list[str]:
    """The lines of a list.

    Raises:
        InputError: it is no text in UTF-8.
        FileNotFoundError: there is no such file.
    """
    return read_text(path).splitlines()


def _numbers(path: str | Path, line: int, words: Sequence[str]) -> tuple[int, ...]:
    try:
        return tuple(map(int, words))
    except ValueError:
        raise InputError(
            f"{path}:{line}: wanted an id and class indices from 0, came {' '.join(words)!r}"
        ) from None


def _unique(path: str | Path, entries: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The entries by id, without the suffixes of image files."""
    result: dict[str, Any] = {}
    for name, value in entries:
        stem, suffix = os.path.splitext(name)
        image_id = stem if suffix.lower() in _IMAGE_SUFFIXES else name
        if not image_id:
            raise InputError(f"{path}: names an image without a name, {value!r}")
        if image_id in result:
            raise InputError(f"{path}: names {image_id} twice")
        result[image_id] = value
    return result


def _from_list(path: Path, classes: Sequence[str], _: Findings) -> Labels:
    return {
        image_id: tuple(name_of(index, classes) for index in indices)
        for image_id, indices in read_list(path).items()
    }


def name_of(index: int, classes: Sequence[str]) -> str:
    """Name of the class with this index, from 0; another index as text, to be reported."""
    return classes[index] if 0 <= index < len(classes) else str(index)


def _from_csv(path: Path, _: Sequence[str], findings: Findings) -> Labels:
    table = read_table(path, columns=("image", "labels"))
    table.report(path.name, findings)
    return _unique(path, ((row.image, row.labels) for row in table.rows))


def _from_json(path: Path, classes: Sequence[str], _: Findings) -> Labels:
    content = _read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: must map image ids to lists of labels")
    names = content.get("classes", ["background", *classes])
    if not isinstance(names, list) or names[:1] != ["background"]:
        raise InputError(f'{path}: "classes" must be a list that starts with "background"')
    labels = content.get("labels", content)
    if not isinstance(labels, dict) or not all(isinstance(own, list) for own in labels.values()):
        raise InputError(f"{path}: must map image ids to lists of labels")
    if labels is not content and (others := sorted(content.keys() - {"classes", "labels"})):
        raise InputError(f'{path}: names {others[0]!a} beside "classes" and "labels"')
    named = ((i, tuple(_json_name(label, names) for label in own)) for i, own in labels.items())
    return _unique(path, named)


def _read_json(path: Path) -> Any:
    text = read_text(path)
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _unique(path, pairs))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON ({error})") from error


def _json_name(label: Any, names: Sequence[str]) -> str:
    """The class name of an index, which counts in `names` with the background as 0."""
    is_class = type(label) is int and 0 < label < len(names)  # True is an int, too
    return names[label] if is_class else str(label)


def _from_npy(path: Path, classes: Sequence[str], _: Findings) -> Labels:
    # At once: lists are read without numpy, which takes longer to import than they take to read.
    from ssr.data.pickled_arrays import read_pickled_arrays

    vectors = read_pickled_arrays(path)
    for key, vector in vectors.items():
        if vector.ndim != 1:
            raise InputError(f"{path}: wanted vectors, came an array of shape {vector.shape}")
        if vector.size != len(classes):
            raise InputError(
                f"{path}: {key} has {vector.size} numbers, data.classes has {len(classes)} names"
            )
        if not (vector >= 0).all():
            raise InputError(f"{path}: {key} has numbers below 0; wanted 0 where a class is absent")
    named = (
        (_id_of_key(key), tuple(classes[index] for index in vector.nonzero()[0].tolist()))
        for key, vector in vectors.items()
    )
    return _unique(path, named)


def _id_of_key(key: str | int) -> str:
    """2007000032 stands for VOC's 2007_000032 in some files."""
    return key if isinstance(key, str) else f"{key // 10**6:04d}_{key % 10**6:06d}"


_READERS: dict[str, Callable[[Path, Sequence[str], Findings], Labels]] = {
    ".json": _from_json,
    ".csv": _from_csv,
    ".txt": _from_list,
    ".npy": _from_npy,
}
