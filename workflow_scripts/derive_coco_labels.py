"""Instances file of COCO in; image-level labels as lines `id index index …` out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.running.contents import Record
from ssr.running.programs import existing, parser, run


def main(arguments: Namespace) -> None:
    """List the classes of every image."""
    from ssr.data.instances import read_scenes, write_labels

    instances = arguments.instances
    seen = Record.of(arguments.state, instances.parent, [instances.name], arguments.threads)
    write_labels(arguments.output, read_scenes(instances, arguments.classes))
    seen.write(arguments.output)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--instances", type=existing, required=True, help="instances_….json")
    flags.add_argument("--classes", nargs="+", required=True, help="names, by category id")
    flags.add_argument("--state", default="", help="what stands for the file")
    flags.add_argument("--output", type=Path, required=True, help="list")
    run(main, flags)
