"""Where the ground-truth masks lie. Only evaluation may import this module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ssr.errors import InputError
from ssr.files import replacing

_SCHEMA = pa.schema([("id", pa.string()), ("mask", pa.string())])


def write_masks(path: str | Path, masks: Mapping[str, str]) -> None:
    """Write the table of masks: paths relative to the root of the data set, by image id."""
    table = pa.table({"id": list(masks), "mask": list(masks.values())}, schema=_SCHEMA)
    with replacing(path) as temporary:
        pq.write_table(table, temporary)


def read_masks(path: str | Path) -> dict[str, str]:
    """Paths of the masks, relative to the root of the data set, by image id.

    Raises:
        InputError: the table is missing or damaged.
    """
    try:
        columns = pq.read_table(path).to_pydict()
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as the table of masks ({error})") from error
    return dict(zip(columns["id"], columns["mask"], strict=True))
