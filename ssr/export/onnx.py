"""A segmenter as one ONNX file that takes an RGB image of any size and gives logits of its pixels.

The graph holds all that `ssr.segmenter.prediction.predict` does for one view of an image, the
resizing to whole patches included. It is exported in three parts: the sizes that one part computes
are plain unknowns to the next, where in one piece they would be formulas that take minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.export import Dim

from ssr.artefacts.files import replacing
from ssr.config import Prediction
from ssr.data.pngs import voc_palette
from ssr.errors import InputError
from ssr.export.places import require_free
from ssr.predict.segmenter import TrainedSegmenter
from ssr.segmenter.clip_backbone import FrozenCLIP
from ssr.segmenter.mmseg_import import BaseDecodeHead, EncoderDecoder
from ssr.version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 20
Size = Any
"""A whole number; while a graph is traced, a formula of the sides of the image."""
_EXTRA = ("onnx", "onnxscript")
# What a file of protocol buffers can hold.
_MOST_BYTES = 2**31
# Patches a side of what is traced: neither square nor the grid of any CLIP, or a graph would be
# taken for one of that grid alone.
_TRACED = (9, 11)


def write_onnx(segmenter: TrainedSegmenter, path: Path) -> None:
    """Write a segmenter to one file, with what its pixels mean as metadata.

    Its input `image` is (H, W, 3) uint8, RGB; its output `logits` (C+1, H, W) float32, background
    first.

    Raises:
        InputError: `path` is there, the extra onnx is not installed, or the model can't be a graph.
    """
    if missing := [name for name in _EXTRA if find_spec(name) is None]:
        raise InputError(
            f"--onnx needs {' and '.join(missing)}: install the extra of this package, "
            'pip install ".[onnx]"'
        )
    require_free(path, "--onnx")
    _check(segmenter.model)
    graph = _graph(segmenter)
    _annotate(graph, _metadata(segmenter))
    with replacing(path) as temporary:
        temporary.write_bytes(graph.SerializeToString())


class _Sizes(nn.Module):
    """What an image is resized to, in whole numbers: a graph has no others for sizes."""

    def __init__(self, settings: Prediction, multiple: int) -> None:
        super().__init__()
        self.stride = settings.stride
        self.max_side = settings.max_side
        self.multiple = multiple

    def grid(self, height: Size, width: Size) -> tuple[Size, Size]:
        """`ssr.data.images.patch_grid` of the strides of an image."""
        if self.max_side is not None:
            longest = torch.sym_max(height, width)
            bound = torch.sym_min(longest, self.max_side)
            height, width = (
                torch.sym_max(1, _round(side * bound, longest)) for side in (height, width)
            )
        return _ceil(height, self.stride), _ceil(width, self.stride)


class _Resize(_Sizes):
    """From an image to what the network sees of it, and a frame that has the size of the image."""

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels (1, 3, H', W') in 0..255, BGR, and (H, W) of an image (H, W, 3) uint8, RGB."""
        pixels = image.flip(2).permute(2, 0, 1)[None].float()  # mmsegmentation works in BGR
        height, width = (
            _ceil(cells * self.stride, self.multiple) * self.multiple
            for cells in self.grid(image.shape[0], image.shape[1])
        )
        # As PIL resizes bytes: columns first, rounded to bytes after either.
        for size in ((image.shape[0], width), (height, width)):
            resized = F.interpolate(pixels, size, mode="bicubic", antialias=True)
            pixels = resized.round().clamp(0, 255)
        return pixels, image[..., 0]


class _Segment(nn.Module):
    """The network itself."""

    def __init__(self, model: EncoderDecoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (1, C+1, h, w) on the decoder's grid, of pixels (1, 3, H', W') in 0..255."""
        batch = self.model.data_preprocessor({"inputs": [pixels[0]]})["inputs"]
        logits: Tensor = self.model(batch, mode="tensor")
        return logits.float()


class _Enlarge(_Sizes):
    """From the decoder's grid to the pixels of a frame."""

    def forward(self, coarse: Tensor, frame: Tensor) -> Tensor:
        """Logits (C+1, H, W) of those on the decoder's grid and a frame (H, W)."""
        grid = self.grid(frame.shape[0], frame.shape[1])
        logits = F.interpolate(coarse, grid, mode="bilinear", antialias=True)
        return F.interpolate(logits, frame.shape, mode="bilinear")[0]


def _ceil(number: Size, divisor: int) -> Size:
    # Not as -(-number // divisor): ONNX divides whole numbers towards zero.
    return (number + divisor - 1) // divisor


def _round(number: Size, divisor: Size) -> Size:
    """number / divisor as Python rounds it, halves to even, without a float."""
    nearest = (2 * number + divisor) // (2 * divisor)
    halfway = 1 - torch.sym_min(1, (2 * number + divisor) % (2 * divisor))
    return nearest - halfway * (nearest % 2)


def _check(model: EncoderDecoder) -> None:
    if not isinstance(model.decode_head, BaseDecodeHead):
        raise InputError("--onnx: wanted a model with one decode head; came a cascade of them")
    size = sum(each.nbytes for each in chain(model.parameters(), _clip(model).parameters()))
    if size >= _MOST_BYTES:
        raise InputError(f"--onnx: a file holds at most 2 GB of weights; came {size / 1e9:.1f} GB")


def _clip(model: EncoderDecoder) -> nn.Module:
    """CLIP's image encoder, which is no part of the model's tree; an empty one of other models."""
    if not isinstance(model.backbone, FrozenCLIP):
        return nn.Module()
    visual: nn.Module = model.backbone._outside[0].visual
    return visual


def _graph(segmenter: TrainedSegmenter) -> ModelProto:
    from onnx.compose import merge_models

    model, settings, multiple = segmenter.model, segmenter.settings, segmenter.multiple
    rows, columns = _TRACED
    image = torch.zeros(rows * multiple, columns * multiple, 3, dtype=torch.uint8)
    pixels = torch.zeros(1, 3, *image.shape[:2])
    coarse = torch.zeros(1, model.decode_head.out_channels, rows, columns)
    sides = {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}
    whole = {2: multiple * Dim("rows", min=2), 3: multiple * Dim("columns", min=2)}
    cells = {2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
    resize = _exported(_Resize(settings, multiple), {"image": (image, sides)}, ["pixels", "frame"])
    # Positions that are learned are not cached by their grid, where an unknown one can't be a key.
    _clip(model).requires_grad_(True)
    segment = _exported(_Segment(model), {"pixels": (pixels, whole)}, ["coarse"])
    _clip(model).requires_grad_(False)
    enlarge = _exported(
        _Enlarge(settings, multiple),
        {"coarse": (coarse, cells), "frame": (image[..., 0], sides)},
        ["logits"],
    )
    front = merge_models(resize, segment, [("pixels", "pixels")])
    return merge_models(front, enlarge, [("coarse", "coarse"), ("frame", "frame")])


def _exported(
    module: nn.Module, inputs: Mapping[str, tuple[Tensor, Any]], outputs: Sequence[str]
) -> ModelProto:
    """A module as a graph in which all names but those of its ends begin with its own.

    Args:
        module: what is traced.
        inputs: by name, an example of each, and which of its dimensions may have any size.
        outputs: their names.
    """
    from onnx.compose import add_prefix

    with torch.no_grad():
        program = torch.export.export(
            module.eval(),
            tuple(example for example, _ in inputs.values()),
            dynamic_shapes=tuple(free for _, free in inputs.values()),
            # Of which grids differ, nothing is to be learned from the example.
            prefer_deferred_runtime_asserts_over_guards=True,
        )
    written = torch.onnx.export(
        program,
        input_names=list(inputs),
        output_names=list(outputs),
        opset_version=OPSET,
        verbose=False,
    )
    assert written
    prefix = f"{type(module).__name__.lower()}."
    return add_prefix(written.model_proto, prefix, rename_inputs=False, rename_outputs=False)


def _annotate(model: ModelProto, notes: Mapping[str, str]) -> None:
    """Name the sides of image and logits, say what the file is, and nothing of this machine."""
    from onnx.helper import set_model_props

    (image,), (logits,) = model.graph.input, model.graph.output
    for value, first in ((image, 0), (logits, 1)):
        shape = value.type.tensor_type.shape.dim
        shape[first].dim_param, shape[first + 1].dim_param = "height", "width"
    for part in (*model.graph.node, *model.graph.value_info, image, logits, model.graph):
        del part.metadata_props[:]
    del model.graph.value_info[:]
    model.producer_name, model.producer_version = "ssr", __version__
    set_model_props(model, dict(notes))


def _metadata(segmenter: TrainedSegmenter) -> dict[str, str]:
    """What a program needs to know that has the file alone, each value as JSON."""
    model, settings = segmenter.model, segmenter.settings
    normalisation = model.data_preprocessor
    notes = {
        "classes": segmenter.classes,
        "palette": voc_palette()[: len(segmenter.classes)].tolist(),
        "mean": normalisation.mean.flatten().tolist(),
        "std": normalisation.std.flatten().tolist(),
        "multiple": segmenter.multiple,
        "stride": settings.stride,
        "max_side": settings.max_side,
        "segmenter": segmenter.identity,
        "ssr_version": __version__,
    }
    return {name: json.dumps(value) for name, value in notes.items()}
