"""The command `ssr export`: what a run made, for other people's programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from ssr.config.settings import recorded
from ssr.predict.segmenter import TrainedSegmenter, open_segmenter


def main(arguments: argparse.Namespace) -> int:
    """Write what was asked for, and print the names of the files.

    Raises:
        InputError: there is nothing to be written, it can't be, or something is in its place.
    """
    config = recorded(arguments.results)
    segmenter = open_segmenter(arguments.results, config, arguments.method, device="cpu")
    for path in _write(segmenter, arguments):
        print(f"written: {path}")
    return 0


def _write(segmenter: TrainedSegmenter, arguments: argparse.Namespace) -> list[Path]:
    # Their libraries take seconds to import: who names a method that is not there need not wait.
    if arguments.onnx:
        from ssr.export.onnx import write_onnx

        write_onnx(segmenter, arguments.onnx)
        return [arguments.onnx]
    from ssr.export.mmsegmentation import write_mmsegmentation

    return write_mmsegmentation(segmenter, arguments.mmsegmentation)
