"""What the two programs that index a data set share."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import PIL

from ssr.config import Data
from ssr.data.check import Checked
from ssr.data.coco import mask_archives
from ssr.data.sightings import NAME, Sightings
from ssr.running.contents import Record, contents_of, digest_of
from ssr.running.programs import parser
from ssr.running.provenance import code_hash


def index_parser(description: str | None) -> ArgumentParser:
    """A parser with the flags of both."""
    flags = parser(description)
    flags.add_argument("--data", type=Data.model_validate_json, required=True)
    flags.add_argument(
        "--derived", type=Path, default=Path(), help="coco: folder, see ssr.data.coco"
    )
    flags.add_argument(
        "--state", default="", help="what stands for the files, of ssr.data.originals"
    )
    flags.add_argument("--output", type=Path, required=True, help="Parquet table")
    return flags


def record(arguments: Namespace, names: Iterable[str]) -> Record:
    """What the files are like of which a table is made; before they are checked.

    One that changes in between is then taken for changed by the next run.
    """
    before = Record.read(arguments.output)
    return Record.of(arguments.state, arguments.data.root, names, arguments.threads, before)


@contextmanager
def sightings(
    arguments: Namespace, seen: Record, masks: Iterable[str], whole: bool
) -> Iterator[Sightings]:
    """What was seen in images and masks, kept from one program and run to the next.

    `seen` has the files of the table, `masks` those beside them.
    """
    data = arguments.data
    others = [*masks, *mask_archives(data, arguments.derived)]
    contents = seen.files | contents_of(data.root, others, arguments.threads)
    read = {"colours": data.mask_colours, "classes": data.mask_colours and data.classes}
    code = digest_of({"code": code_hash("ssr.data.inspection"), "PIL": PIL.__version__, **read})
    with Sightings.kept(arguments.output.with_name(NAME), code, contents, whole) as known:
        yield known


def warn(checked: Checked) -> None:
    """Print the warnings."""
    for warning in checked.warnings:
        print(f"warning: {warning}", file=sys.stderr)
