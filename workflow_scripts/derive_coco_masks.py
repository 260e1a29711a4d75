"""Instances file of COCO in; masks of all its images as index PNGs in one zip file out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.running.contents import Record
from ssr.running.programs import existing, parser, run


def main(arguments: Namespace) -> None:
    """Draw the mask of every image, one per core at a time."""
    from ssr.data.instances import read_scenes, write_masks

    instances = arguments.instances
    seen = Record.of(arguments.state, instances.parent, [instances.name], arguments.threads)
    write_masks(arguments.output, read_scenes(instances, arguments.classes), arguments.threads)
    seen.write(arguments.output)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--instances", type=existing, required=True, help="instances_….json")
    flags.add_argument("--classes", nargs="+", required=True, help="names, by category id")
    flags.add_argument("--state", default="", help="what stands for the file")
    flags.add_argument("--output", type=Path, required=True, help="zip of PNGs")
    run(main, flags)
