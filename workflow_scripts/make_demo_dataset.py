"""A seed in; procedural scenes out, as images, masks and labels.csv, written last."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.config import Demo
from ssr.data.make_demo import make_demo
from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Make the demo data set."""
    make_demo(arguments.demo, arguments.root, arguments.threads)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--demo", type=Demo.model_validate_json, required=True)
    flags.add_argument("--root", type=Path, required=True)
    run(main, flags)
