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
    for path in _masks(arguments) if arguments.masks else _segmenter(arguments):
        print(f"written: {path}")
    return 0


def _masks(arguments: argparse.Namespace) -> list[Path]:
    from ssr.export.masks import write_masks

    source, tool, out = arguments.results, arguments.masks, arguments.out
    return write_masks(source, tool, out, arguments.stage, arguments.method)


def _segmenter(arguments: argparse.Namespace) -> list[Path]:
    segmenter = _open(arguments)
    # Their libraries take seconds to import: who names a method that is not there need not wait.
    if arguments.onnx:
        from ssr.export.onnx import write_onnx

        write_onnx(segmenter, arguments.onnx)
        return [arguments.onnx]
    from ssr.export.mmsegmentation import write_mmsegmentation

    return write_mmsegmentation(segmenter, arguments.mmsegmentation)


def _open(arguments: argparse.Namespace) -> TrainedSegmenter:
    config = recorded(arguments.results)
    return open_segmenter(arguments.results, config, arguments.method, device="cpu")
