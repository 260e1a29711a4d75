"""The README's pictures: the DAG, and the CAM stages where sheets of a finished run are named."""

from __future__ import annotations

import io
from argparse import Namespace
from pathlib import Path

from ssr.artefacts.files import replacing
from ssr.errors import InputError
from ssr.running.programs import parser, run

_MOST_BYTES = 400_000


def main(arguments: Namespace) -> None:
    """Draw."""
    from ssr.report.dag import draw_dag

    with replacing(arguments.output / "dag.svg") as temporary:
        temporary.write_text(draw_dag(), encoding="utf-8")
    if arguments.sheets:
        with replacing(arguments.output / "cam_stages.png") as temporary:
            temporary.write_bytes(_stacked(arguments.sheets, arguments.width))


def _stacked(sheets: list[Path], width: int) -> bytes:
    """Sheets of one image each below one another, as a PNG of 256 colours.

    Raises:
        InputError: the sheets differ in their columns, or the PNG becomes too large.
    """
    from PIL import Image

    from ssr.report.sheet import HEAD

    pictures = [Image.open(path, formats=["PNG"]).convert("RGB") for path in sheets]
    # The titles stand above the first one only.
    pictures[1:] = [picture.crop((0, HEAD, *picture.size)) for picture in pictures[1:]]
    if len({picture.width for picture in pictures}) > 1:
        raise InputError(f"the sheets differ in width: {', '.join(map(str, sheets))}")
    stack = Image.new("RGB", (pictures[0].width, sum(picture.height for picture in pictures)))
    top = 0
    for picture in pictures:
        stack.paste(picture, (0, top))
        top += picture.height
    stack = stack.resize((width, round(stack.height * width / stack.width)))
    # Only a given palette makes PIL mix colours; its own choice alone leaves bands in the maps.
    few = stack.quantize(palette=stack.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)
    buffer = io.BytesIO()
    few.save(buffer, "PNG")
    if buffer.tell() > _MOST_BYTES:
        raise InputError(
            f"cam_stages.png takes at most {_MOST_BYTES} bytes, came {buffer.tell()}: "
            "name fewer sheets or a smaller --width"
        )
    return buffer.getvalue()


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument(
        "--sheets",
        type=Path,
        nargs="*",
        default=[],
        help="results/demo/report/figures/stages_*.png",
    )
    flags.add_argument("--width", type=int, default=1500, help="of cam_stages.png, in pixels")
    flags.add_argument("--output", type=Path, default=Path("docs/images"))
    run(main, flags)
