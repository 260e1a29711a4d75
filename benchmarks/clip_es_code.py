"""The code of CLIP-ES on this machine: its own CAMs, boxes, refined CAMs and labels.

A copy of a checkout of github.com/linyq2117/CLIP-ES runs, changed in nothing but what `EDITS` says.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import re
import shutil
import sys
import tempfile
import types
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from xml.etree import ElementTree

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.model import CLIP
from PIL import Image
from torch import Tensor, nn

from ssr.backbones.text import TextEmbeddings
from ssr.errors import InputError

# By file: what is replaced, where {} is the side of a patch. It names a GPU, and 16 is written out.
EDITS: Mapping[str, Sequence[tuple[str, str]]] = {
    "generate_cams_voc12.py": (
        (r'"cuda:\{\}"\.format\(.*\)', '"cpu"'),
        (r"// ?16\b", "// {}"),
        (r"patch_size=16\b", "patch_size={}"),
    ),
    "clip/model.py": ((r"//16\b", "//{}"),),
    "pytorch_grad_cam/activations_and_gradients.py": ((r"// ?16\b", "// {}"),),
    "eval_cam_with_crf.py": (),
}
# Modules that the checkout imports and hardly uses, and what stands in for them.
STAND_INS = {
    "ttach": types.ModuleType("ttach"),
    "lxml": Namespace(etree=ElementTree),
    "pkg_resources": Namespace(packaging=Namespace(version=Namespace(parse=str))),
}
MEAN_BGR = (104.008, 116.669, 122.675)  # of eval_cam_with_crf.py, under its `__main__`

Maps = NDArray[np.float32]


@dataclass
class Theirs:
    """What CLIP-ES makes of an image with K classes."""

    cams: list[Maps] = field(default_factory=list)
    """K maps (h, w) in 0..1."""
    masks: list[NDArray[np.bool_]] = field(default_factory=list)
    """K masks (h, w) of patches: what its boxes hold."""
    refined: NDArray[np.float16] | None = None
    """(K, H, W) in 0..1, as it stores them."""
    labels: NDArray[np.uint8] | None = None
    """(H, W), 255 where the CRF is not sure."""


@contextlib.contextmanager
def code_of(checkout: Path, work: Path, patch: int) -> Iterator[None]:
    """Let the modules of a copy of `checkout`, in the folder `work`, be imported in the block."""
    copy = work / "code"
    shutil.copytree(checkout, copy, ignore=shutil.ignore_patterns(".git"))
    for name, edits in EDITS.items():
        edit(copy / name, edits, patch)
    absent = {name: part for name, part in STAND_INS.items() if not importlib.util.find_spec(name)}
    sys.modules.update(absent)  # type: ignore[arg-type]
    sys.path.insert(0, str(copy))
    try:
        yield
    finally:
        sys.path.remove(str(copy))
        own = [name for name, module in sys.modules.items() if _lies_in(module, copy)]
        for name in (*absent, *own):
            del sys.modules[name]


def _lies_in(module: Any, folder: Path) -> bool:
    return folder in Path(getattr(module, "__file__", None) or "").parents


def edit(file: Path, edits: Sequence[tuple[str, str]], patch: int) -> None:
    """Replace each pattern in a file of the copy.

    Raises:
        InputError: the file is not there, or has nothing that a pattern finds.
    """
    if not file.is_file():
        raise InputError(f"no checkout of CLIP-ES: {file.name} is not there")
    text = file.read_text()
    for pattern, replacement in edits:
        text, count = re.subn(pattern, replacement.format(patch), text)
        if not count:
            raise InputError(f"another version of CLIP-ES: {file.name} has no {pattern}")
    file.write_text(text)


def network(clip: CLIP) -> nn.Module:
    """CLIP-ES's own CLIP with the weights, activation and norms of ours."""
    theirs, ours = _untrained(clip), clip.visual
    if isinstance(ours.ln_pre, nn.Identity):
        theirs.visual.ln_pre = nn.Identity()
    theirs.load_state_dict(without_layer_scale(clip))
    blocks = zip(theirs.visual.transformer.resblocks, ours.transformer.resblocks, strict=True)
    for block, own in blocks:
        block.mlp.gelu = own.mlp.gelu
    for name, norm in theirs.visual.named_modules():
        if isinstance(norm, nn.LayerNorm):
            norm.eps = ours.get_submodule(name).eps
    return theirs.eval()


def _untrained(clip: CLIP) -> Any:
    visual, text = clip.visual, clip.transformer
    return importlib.import_module("clip.model").CLIP(
        embed_dim=visual.output_dim,
        image_resolution=visual.image_size[0],
        vision_layers=len(visual.transformer.resblocks),
        vision_width=visual.proj.shape[0],
        vision_patch_size=visual.patch_size[0],
        context_length=clip.context_length,
        vocab_size=clip.vocab_size,
        transformer_width=text.width,
        transformer_heads=text.resblocks[0].attn.num_heads,
        transformer_layers=len(text.resblocks),
    )


def without_layer_scale(clip: CLIP) -> dict[str, Tensor]:
    """The weights of a CLIP that does the same without LayerScale."""
    weights = {name: value.clone() for name, value in clip.state_dict().items()}
    for name in [name for name in weights if name.endswith(".gamma")]:
        block, scale = name.removesuffix(".gamma").rsplit(".", 1)
        layer = {"ls_1": "attn.out_proj", "ls_2": "mlp.c_proj"}[scale]
        gamma = weights.pop(name)
        weights[f"{block}.{layer}.weight"] *= gamma[:, None]
        weights[f"{block}.{layer}.bias"] *= gamma
    return weights


def write_data(work: Path, images: Mapping[Path, Sequence[str]]) -> None:
    """A folder as CLIP-ES reads it: photographs, their classes, and empty masks for its CRF."""
    for part in ("JPEGImages", "Annotations", "masks", "cams", "labels"):
        (work / part).mkdir()
    for path, classes in images.items():
        (work / "JPEGImages" / path.name).symlink_to(path.resolve())
        with Image.open(path, formats=("JPEG",)) as image:
            width, height = image.size
        objects = "".join(f"<object><name>{name}</name></object>" for name in classes)
        size = f"<size><width>{width}</width><height>{height}</height></size>"
        (work / "Annotations" / f"{path.stem}.xml").write_text(
            f"<annotation>{size}{objects}</annotation>"
        )
        Image.new("L", (1, 1)).save(work / "masks" / f"{path.stem}.png")


def results(
    checkout: Path, clip: CLIP, texts: TextEmbeddings, images: Mapping[Path, Sequence[str]]
) -> dict[str, Theirs]:
    """What CLIP-ES makes of photographs (.jpg) with the names of their classes, by file name."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_data(work, images)
        with code_of(checkout, work, clip.visual.patch_size[0]):
            found = maps(clip, texts, work, [path.name for path in images])
            label(work, found)
    return found


def maps(clip: CLIP, texts: TextEmbeddings, work: Path, names: Sequence[str]) -> dict[str, Theirs]:
    """CLIP-ES's maps of the photographs `names` in the folder `work`."""
    program = importlib.import_module("generate_cams_voc12")
    model, found = network(clip), {name: Theirs() for name in names}
    layers = [model.visual.transformer.resblocks[-1].ln_1]  # type: ignore[union-attr, index]
    cam = program.GradCAM(model, layers, reshape_transform=program.reshape_transform)
    arguments = Namespace(img_root=str(work / "JPEGImages"), cam_out_dir=str(work / "cams"))
    rows = [torch.from_numpy(each) for each in (texts.backgrounds, texts.classes)]
    for name, kept in found.items():
        with mock.patch.object(torch.cuda, "device_count", return_value=1):  # it divides by them
            program.perform(0, [[name]], arguments, model, *rows, recorder(program, cam, kept))
        # Written by the program just now; a dict, so that it is pickled.
        saved = np.load(work / "cams" / f"{Path(name).stem}.npy", allow_pickle=True).item()
        kept.refined = saved["attn_highres"]
    return found


def recorder(programs: types.ModuleType, cam: Any, kept: Theirs) -> Any:
    """`cam`, of which `kept` keeps the maps; and the boxes that `programs` draws on them."""
    find = getattr(programs.scoremap2bbox, "found_by", programs.scoremap2bbox)

    def activate(**given: Any) -> Any:
        result = cam(**given)
        kept.cams.append(result[0][0])
        return result

    def boxes(scoremap: Maps, **given: Any) -> Any:
        found, count = find(scoremap, **given)
        mask = np.zeros(scoremap.shape, bool)
        for left, top, right, bottom in found:
            mask[top:bottom, left:right] = True
        kept.masks.append(mask)
        return found, count

    boxes.found_by = find  # type: ignore[attr-defined]
    programs.scoremap2bbox = boxes
    return activate


def label(work: Path, results: Mapping[str, Theirs]) -> None:
    """Let CLIP-ES's CRF make its labels of the refined CAMs in `work`."""
    program = importlib.import_module("eval_cam_with_crf")
    program.args = Namespace(
        image_root=str(work / "JPEGImages"),
        gt_root=str(work / "masks"),
        cam_out_dir=str(work / "cams"),
        pseudo_mask_save_path=str(work / "labels"),
        eval_only=False,
    )
    program.eval_list = [Path(name).stem for name in results]
    program.mean_bgr = MEAN_BGR
    with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()):
        program.crf(1)
    for name, kept in results.items():
        with Image.open(work / "labels" / f"{Path(name).stem}.png", formats=("PNG",)) as image:
            kept.labels = np.array(image)
