"""The row `clip_es` beside the code of CLIP-ES, on the same photographs and weights.

`python -m benchmarks.clip_es CHECKOUT --configfile config/voc.yaml MINE.yaml [--count 14]` takes a
checkout of github.com/linyq2117/CLIP-ES and runs both on this processor, on the first images of the
train list and with the CLIP of the configuration. Each line that it prints is the row of
config/clip_es.yaml, or that row with one thing otherwise: how far its maps are from theirs at most,
and what share of the patches of its masks and of the pixels of its labels are others. With random
weights (config/voc_mini.yaml) nothing but the arithmetic is compared.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache, reduce
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from open_clip.model import CLIP

from benchmarks import clip_es_code
from benchmarks.clip_es_code import Theirs
from ssr.backbones.features import clip_features
from ssr.backbones.networks import (
    load_clip,
    load_tokenizer,
    normalise_pixels,
    pixel_statistics,
)
from ssr.backbones.text import TextEmbeddings, encode_text
from ssr.cams.activation import ImageScores
from ssr.cams.refinement import image_affinity, patch_mask, refine
from ssr.config import Config, Data, Features
from ssr.config.methods import merge, method_config
from ssr.config.settings import parse_config
from ssr.data.check import check_dataset
from ssr.data.images import load_image, load_on_grid
from ssr.data.splits import split_ids
from ssr.labelling.pseudo_labels import enlarge, label_pixels
from ssr.maps import min_max

ROOT = Path(__file__).parent.parent
PRESET = ROOT / "config/clip_es.yaml"
STORED = "features stored in float16"
# What is otherwise than in the preset, by the name of the line.
OTHERWISE: Mapping[str, dict[str, Any]] = {
    "as the preset": {},
    STORED: {},
    "positions: bicubic": {"features": {"positions": "bicubic"}},
    "box_border: true": {"refinement": {"box_border": True}},
    "wrapped: false": {"labels": {"crf": {"wrapped": False}}},
}

Maps = NDArray[np.float32]


@dataclass
class Ours:
    """What the row makes of an image with K classes, as `Theirs` has it."""

    cams: Maps
    masks: NDArray[np.bool_]
    refined: Maps
    labels: NDArray[np.uint8]


@dataclass
class Apart:
    """How far both are from each other on one image."""

    cam: float
    """The largest difference of two CAMs in 0..1."""
    patches: float
    """Share of patches that are on in one mask only; a map without any activation has none."""
    refined: float
    """The largest difference of two refined CAMs in 0..1, at the size of the image."""
    pixels: float
    """Share of pixels with another label, 255 included."""


def row(layers: Sequence[Path], changes: Mapping[str, Any] | None = None) -> Config:
    """The settings of the row over `layers`, with `changes`; at the full size, as theirs are."""
    files = [ROOT / "config.yaml", *layers, PRESET]
    values = reduce(merge, [yaml.safe_load(file.read_text()) for file in files])
    own = {"images": {"max_side": None}, "methods": {"clip_es": changes or {}}}
    return method_config(parse_config(merge(values, own)), "clip_es")


def ours(
    clip: CLIP, texts: TextEmbeddings, config: Config, path: Path, names: Sequence[str], half: bool
) -> Ours:
    """The stages of the row for one photograph; `half`: by way of the stored features."""
    labels = [config.data.classes.index(name) + 1 for name in names]
    image, tokens, attention = features(clip, path, config.images.patch, config.features)
    grid = tuple(-(-side // config.images.patch) for side in image.shape[:2])
    if half:
        tokens, attention = tokens.half().float(), attention.half().float()
    scores = ImageScores(texts, torch.device("cpu"), gradient=config.cams.gradient)
    raw = scores.activate(config.cams.score, clip, tokens, labels).numpy()
    cams = min_max(raw.reshape(-1, *grid))
    affinity = image_affinity(attention.numpy(), attention.numpy(), config.refinement)
    masks = patch_mask(cams, np.zeros(grid, np.int64), config.refinement)
    refined = refine(cams, affinity, masks, config.refinement.power)
    size, threshold = image.shape[:2], config.labels.threshold or 0.5
    pixels = label_pixels(refined, np.array(labels), size, threshold, config.labels, image)
    return Ours(cams, masks, enlarge(refined, size), pixels)


@cache
def features(
    clip: CLIP, path: Path, patch: int, settings: Features
) -> tuple[NDArray[np.uint8], torch.Tensor, torch.Tensor]:
    """A photograph (H, W, 3), and its tokens (N+1, W) and attention (N, N) in float32."""
    pixels = torch.from_numpy(load_on_grid(path, patch)).permute(2, 0, 1)[None].float() / 255
    found = clip_features(
        clip,
        normalise_pixels(pixels, *pixel_statistics(clip)),
        settings.clip_attention_blocks,
        settings.positions,
    )
    return load_image(path), found.tokens[0], found.attention[0]


def apart(own: Ours, other: Theirs) -> Apart:
    """How far the row is from CLIP-ES on one image."""
    lit = own.cams.any((1, 2), keepdims=True)
    return Apart(
        cam=float(np.abs(own.cams - np.stack(other.cams)).max()),
        patches=float(((own.masks != np.stack(other.masks)) & lit).mean()),
        refined=float(np.abs(own.refined - other.refined.astype(np.float32)).max()),
        pixels=float((own.labels != other.labels).mean()),
    )


def table(rows: Mapping[str, Sequence[Apart]]) -> Iterator[str]:
    """A line for each row: the largest difference of maps, the mean share of patches and pixels."""
    yield f"{'':30s} {'CAM':>9s} {'patches':>9s} {'refined':>9s} {'labels':>9s}"
    for name, images in rows.items():
        values = np.array([astuple(each) for each in images])
        cam, _, refined, _ = values.max(0)
        _, patches, _, pixels = values.mean(0)
        yield f"{name:30s} {cam:9.1e} {100 * patches:8.3f}% {refined:9.1e} {100 * pixels:8.3f}%"


def photographs(config: Config, count: int) -> dict[Path, list[str]]:
    """The first `count` images of train, with the names of their classes."""
    ids = split_ids(config.data)["train"][:count]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(ids))
        listed.flush()
        splits = {"train": listed.name, "tune": None, "val": None, "test": None}
        alone = {"splits": splits, "tune_images": 0, "masks": None}
        images = check_dataset(Data.model_validate(merge(config.data.model_dump(), alone))).index
    names = ("", *config.data.classes)
    return {
        Path(config.data.root, image.image): [names[label] for label in image.labels]
        for image in images.images
    }


def main(arguments: Sequence[str]) -> None:
    """Run both and print the table."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("checkout", type=Path, help="of github.com/linyq2117/CLIP-ES")
    flags.add_argument("--configfile", type=Path, nargs="+", required=True)
    flags.add_argument("--count", type=int, default=14)
    chosen = flags.parse_args(arguments)
    config = row(chosen.configfile)
    clip = load_clip(config.backbones.clip, "cpu")
    tokenizer = load_tokenizer(config.backbones.clip)
    texts = encode_text(clip, tokenizer, config.text, config.data.classes)
    images = photographs(config, chosen.count)
    theirs = clip_es_code.results(chosen.checkout, clip, texts, images)
    rows: dict[str, list[Apart]] = {}
    for name, changes in OTHERWISE.items():
        settings = row(chosen.configfile, changes)
        rows[name] = [
            apart(ours(clip, texts, settings, path, own, name == STORED), theirs[path.name])
            for path, own in images.items()
        ]
    print(f"{len(images)} photographs, {config.backbones.clip}")
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main(sys.argv[1:])
