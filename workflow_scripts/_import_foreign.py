"""What the two programs that import files of other systems share: all but what the files hold."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssr.config import Foreign
from ssr.data.findings import Findings
from ssr.data.foreign import list_files
from ssr.data.index import Image, Index
from ssr.running.contents import Record
from ssr.running.programs import existing, parser


def foreign_parser(description: str | None) -> ArgumentParser:
    """A parser with the flags of both programs."""
    flags = parser(description)
    flags.add_argument("--index", type=existing, required=True)
    flags.add_argument("--shard", required=True)
    flags.add_argument("--classes", nargs="+", required=True, help="of the data set, in order")
    flags.add_argument("--foreign", type=Foreign.model_validate_json, required=True)
    flags.add_argument("--state", default="", help="what stands for the files")
    flags.add_argument("--output", type=Path, required=True)
    return flags


@contextmanager
def imported(arguments: Namespace, findings: Findings) -> Iterator[tuple[Path, list[Image]]]:
    """The folder of the files, and the images of the shard.

    Behind the block, if it ends well, warnings are printed, and what was seen of the files is
    written beside the output.
    """
    images = Index.read(arguments.index).shard(arguments.shard)
    root, files = list_files(arguments.foreign, arguments.classes, [image.id for image in images])
    # Before they are read: one that changes in between is then taken for changed by the next run.
    seen = Record.of(arguments.state, root, files, arguments.threads)
    yield root, images
    for warning in findings.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    seen.write(arguments.output)
