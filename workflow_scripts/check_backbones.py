"""Backbones in; their settings out, once the local weights are known to be whole and to fit."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.config import Backbones
from ssr.errors import InputError
from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Compare checksums, and tensors by name and shape; write nothing if one is wrong."""
    from ssr.artefacts.files import replacing
    from ssr.backbones.networks import check_weights

    if findings := check_weights(arguments.backbones):
        raise InputError("\n  ".join(["the weights cannot be used:", *findings]))
    with replacing(arguments.output) as temporary:
        temporary.write_text(arguments.backbones.canonical() + "\n")


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--backbones", type=Backbones.model_validate_json, required=True)
    flags.add_argument("--output", type=Path, required=True, help="JSON")
    run(main, flags)
