"""The command `ssr`: what looks at results, beside `snakemake`, which makes them."""

from __future__ import annotations

import argparse
import sys

from ssr.doctor import diagnosis, status
from ssr.errors import InputError
from ssr.inspect import command as inspection
from ssr.version import __version__


def main() -> None:
    """Run the subcommand that the command line names."""
    parser = argparse.ArgumentParser(prog="ssr", description=__doc__)
    parser.add_argument("--version", action="version", version=f"ssr {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    doctor = commands.add_parser("doctor", help="is everything in a results folder sound?")
    diagnosis.add_flags(doctor)
    doctor.set_defaults(run=diagnosis.main)
    inspect = commands.add_parser(
        "inspect", help="look at images and what every stage made of them"
    )
    inspection.add_flags(inspect)
    inspect.set_defaults(run=inspection.main)
    stages = commands.add_parser("status", help="how far has each stage come?")
    diagnosis.add_flags(stages)
    stages.set_defaults(run=status.main)
    arguments = parser.parse_args()
    try:
        sys.exit(arguments.run(arguments))
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
