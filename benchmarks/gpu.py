"""What a GPU reaches: images a second of each stage beside the bare network's, and its accuracy.

`python -m benchmarks.gpu [--images 384] [--threads 8] [--output FILE.json]` with a GPU;
`--tiny --device cpu` tries it out. The networks and settings are those of config/voc.yaml, with
random weights; the photographs are made up, of VOC's sizes. Of each stage and precision:

- bare: the network's own forward (and backward) on one batch that lies in the GPU's memory;
- call: the library's function on images in the processor's memory, results back there;
- program: the whole program, files read and written, without its start and, told of apart
  (`closing_ms` of each image), the checksum at its end.

Agreement with float32 on the processor is measured of the demo's trained networks, too.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import traceback
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import yaml
from torch import Tensor

from benchmarks.gpu_bench import ROOT, Bench, peak, precision, seconds, stamped, steady
from ssr.artefacts.store import open_shards
from ssr.backbones.features import _batch, embed_clip, extract
from ssr.backbones.last_block import load_last_block
from ssr.backbones.networks import load_pair
from ssr.backbones.text import TextEmbeddings
from ssr.cams.activation import ImageScores, gradient_cam
from ssr.cams.refinement import image_affinity, patch_mask, refine
from ssr.cams.superpixels import segment
from ssr.config import Backbones, Features, Images, Refinement, Superpixels
from ssr.data.images import load_image, load_on_grid, patch_grid
from ssr.demo.scenes import make_scenes
from ssr.maps import min_max

SCENES = 32  # for the agreement of trained networks
PRECISIONS = ("float32", "tf32", "float16")
STORED = ("float32", "float16")  # of features.precision
ITERATIONS = 60  # of the training
Row = dict[str, Any]


def rates(
    bench: Bench, stage: str, count: int, calls: dict[str, Callable[[str], object]]
) -> Iterator[Row]:
    """A row for each call and precision: images a second, of `count` images."""
    for kind in PRECISIONS if bench.device.type == "cuda" else PRECISIONS[:1]:
        for name, call in calls.items():
            peak(bench.device)
            with precision(kind, bench.device):
                rate = count / seconds(partial(call, kind), bench.device)
            yield {
                "stage": stage, "what": name, "precision": kind, "per_second": rate,
                "batch": count, "peak_gb": peak(bench.device),
            }  # fmt: skip


def program(bench: Bench, stage: str, kind: str, measured: dict[str, float]) -> Row:
    """The row of a program."""
    common = {"stage": stage, "what": "program", "precision": kind, "threads": bench.threads}
    return common | measured | {"peak_gb": peak(bench.device)}


@torch.no_grad()
def bare_clip(clip: Any, pixels: Tensor) -> Tensor:
    """open_clip's own forward, but on any grid."""
    tokens: Tensor = clip.visual.transformer(embed_clip(clip, pixels))
    return clip.visual.ln_post(tokens[:, 0]) @ clip.visual.proj


@torch.no_grad()
def _bare_features(clip: Any, dino: Any, pixels: Tensor) -> None:
    bare_clip(clip, pixels)
    dino.forward_features(pixels)


def extraction(bench: Bench) -> Iterator[Row]:
    """CLIP and DINO on photographs."""
    clip, dino = bench.pair
    pixels = _batch(bench.batch, clip, bench.device)
    calls: dict[str, Callable[[str], object]] = {
        "bare": lambda _: _bare_features(clip, dino, pixels),
        "call": lambda kind: extract(clip, dino, bench.batch, bench.features_in(kind)),
    }
    yield from rates(bench, "extract_features", len(bench.batch), calls)
    for kind in STORED if bench.device.type == "cuda" else STORED[:1]:
        rate = bench.run(
            "extract_features",
            backbones=bench.backbones,
            images=Images(patch=bench.patch),
            features=bench.features_in(kind),
            output=bench.folder / "features.zarr.zip",
        )
        yield program(bench, "extract_features", kind, rate)


def activation(bench: Bench) -> Iterator[Row]:
    """Grad-CAM from stored tokens."""
    clip = load_last_block(bench.backbones.clip, bench.device)
    features = open_shards([bench.folder / "features.zarr.zip"])
    texts = TextEmbeddings.read(bench.folder / "texts.npz")
    scores = ImageScores(texts, bench.device, gradient="product")
    some = bench.images[:16]
    stored = [torch.from_numpy(features.read(each.id, "tokens")) for each in some]
    resident = [tokens.to(bench.device) for tokens in stored]
    made = [scores.of(each.labels) for each in some]

    def bare(_: str) -> None:
        for each, tokens, score in zip(some, resident, made, strict=True):
            gradient_cam(clip, tokens, score, len(each.labels))

    def call(_: str) -> None:
        for each, tokens in zip(some, stored, strict=True):
            score = scores.of(each.labels)
            gradient_cam(clip, tokens.to(bench.device), score, len(each.labels)).cpu()

    for row in rates(bench, "activate_cams", len(some), {"bare": bare, "call": call}):
        if row["precision"] in ("float32", "tf32"):  # it leaves autocast
            yield row
    rate = bench.run(
        "activate_cams",
        backbone=bench.backbones.clip,
        cams=bench.cams.canonical(),
        features=bench.folder / "features.zarr.zip",
        text=bench.folder / "texts.npz",
        alignment=None,
        output=bench.folder / "cams.zarr.zip",
    )
    yield program(bench, "activate_cams", "float32", rate)


def training(bench: Bench) -> Iterator[Row]:
    """The segmenter's training, crops a second."""
    from ssr.segmenter import training as trainer
    from workflow_scripts import train_segmenter

    size = bench.segmenter.batch_size
    for kind in ("float32", "bfloat16") if bench.device.type == "cuda" else ("float32",):
        rate = size / _bare_step(bench, kind)
        yield {
            "stage": "train_segmenter", "what": "bare", "precision": kind, "per_second": rate,
            "batch": bench.segmenter.micro_batch or size, "peak_gb": peak(bench.device),
        }  # fmt: skip
        settings = bench.segmenter.model_copy(
            update={"precision": kind, "iterations": ITERATIONS, "checkpoint_every": 10**6}
        )
        with stamped(trainer) as stamps:
            train_segmenter.main(
                bench.arguments(
                    classes=bench.classes, labels=[bench.folder / "labels.zip"],
                    backbone=bench.backbones.clip, text=bench.folder / "texts.npz",
                    segmenter=settings, seed=0, work=bench.folder / f"work_{kind}",
                    output=bench.folder / "model.safetensors",
                    description=bench.folder / "model.json", nodes=1, processes=None,
                )
            )  # fmt: skip
        torch.use_deterministic_algorithms(False)  # a training leaves it on
        yield program(bench, "train_segmenter", kind, {"per_second": size * steady(stamps)})


def _bare_step(bench: Bench, kind: str) -> float:
    """Seconds of an iteration on crops that lie in the GPU's memory."""
    from ssr.data.pngs import open_pngs
    from ssr.segmenter import model as models
    from ssr.segmenter.dataset import SegmentationDataset, augmentation
    from ssr.segmenter.optimisation import make_optimiser

    settings, texts = bench.segmenter, TextEmbeddings.read(bench.folder / "texts.npz")
    config = models.model_config(
        settings, bench.backbones.clip, 1 + len(bench.classes), len(texts.names)
    )
    model = models.build(config, texts).to(bench.device).train()
    augment = augmentation(settings.crop_size, settings.scale_range)
    labels = open_pngs([bench.folder / "labels.zip"])
    dataset = SegmentationDataset(bench.images, bench.folder, labels.read, augment, 0)
    size = settings.batch_size // settings.micro_batches
    samples = [dataset[position] for position in range(size)]
    raw = {key: [each[key] for each in samples] for key in ("inputs", "data_samples")}
    batch = model.data_preprocessor(raw, training=True)
    optimiser = make_optimiser(model, settings)

    def step() -> None:
        for _ in range(settings.micro_batches):
            with torch.autocast(bench.device.type, torch.bfloat16, enabled=kind == "bfloat16"):
                losses = model.loss(**batch)
            sum(value for name, value in losses.items() if "loss" in name).backward()
        optimiser.step()
        optimiser.zero_grad()

    return seconds(step, bench.device)


def prediction(bench: Bench) -> Iterator[Row]:
    """The segmenter's logits, over scales and mirrored."""
    from ssr.segmenter.model import load
    from ssr.segmenter.prediction import _batch as views
    from ssr.segmenter.prediction import predict

    files = bench.folder / "model.safetensors", bench.folder / "model.json"
    model: Any = load(*files, bench.device)
    image, settings = load_image(bench.folder / bench.images[0].image), bench.prediction
    grid = patch_grid(image.shape[0], image.shape[1], settings.stride, settings.max_side)
    inputs = [views(model, image, grid, scale, settings) for scale in settings.scales]

    @torch.inference_mode()
    def bare(_: str) -> None:
        for each in inputs:
            model(each, mode="tensor")

    calls: dict[str, Callable[[str], object]] = {
        "bare": bare,
        "call": lambda _: predict(model, image, settings),
    }
    yield from rates(bench, "predict_logits", 1, calls)
    rate = bench.run(
        "predict_logits",
        model=files[0],
        description=files[1],
        prediction=settings,
        output=bench.folder / "logits.zarr.zip",
    )
    yield program(bench, "predict_logits", "float32", rate)


def agreement(bench: Bench) -> Iterator[Row]:
    """Features, CAMs and refined CAMs in every precision beside float32 on the processor."""
    photographs = [
        load_on_grid(bench.folder / each.image, bench.patch) for each in bench.images[:4]
    ]
    demo: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
    scenes = [scene.image for scene in make_scenes(SCENES, seed=7, correlation=1.0)]
    yield from _agree(bench, "random", bench.backbones, bench.patch, photographs)
    bench.features = Features(**demo["features"])
    trained = Backbones(**demo["backbones"])
    yield from _agree(bench, "trained", trained, demo["images"]["patch"], scenes)


def _agree(
    bench: Bench, weights: str, backbones: Backbones, patch: int, images: list[np.ndarray]
) -> Iterator[Row]:
    wanted = _artefacts(bench, *load_pair(backbones, patch, "cpu"), images, "float32")
    pair = load_pair(backbones, patch, bench.device)
    for kind in PRECISIONS:
        with precision(kind, bench.device):
            came = _artefacts(bench, *pair, images, kind)
        for name, values in wanted.items():
            errors = [
                np.linalg.norm(a - b) / np.linalg.norm(a)
                for a, b in zip(values, came[name], strict=True)
            ]
            same = [
                np.corrcoef(a.ravel(), b.ravel())[0, 1]
                for a, b in zip(values, came[name], strict=True)
            ]
            yield {
                "stage": "agreement", "what": f"{name}, {weights}", "precision": kind,
                "relative_error": float(np.max(errors)), "least_r": float(np.min(same)),
                "median_r": float(np.median(same)),
            }  # fmt: skip


def _artefacts(
    bench: Bench, clip: Any, dino: Any, images: list[np.ndarray], kind: str
) -> dict[str, list[np.ndarray]]:
    """Arrays of all images by name; the refined CAMs are those of two classes."""
    device = clip.logit_scale.device
    texts = torch.randn(
        2 + 7, clip.visual.proj.shape[1], generator=torch.Generator().manual_seed(1)
    )
    units = F.normalize(texts, dim=-1).numpy()
    embeddings = TextEmbeddings(units[:2], units[2:], np.array(list("abcdefghi")), np.float32(100))
    score = ImageScores(embeddings, device, gradient="product").of([1, 2])
    found: dict[str, list[np.ndarray]] = {}
    for image in images:
        (stored,) = extract(clip, dino, [image], bench.features_in(kind))
        names = ("tokens", "clip_attention", "dino_attention", "dino_patches")
        arrays = {name: stored[name].astype(np.float32) for name in names}
        tokens = torch.from_numpy(stored["tokens"]).to(device)
        cams = gradient_cam(clip, tokens, score, 2).cpu().numpy().reshape(2, *stored["grid"])
        arrays["cam"] = min_max(cams)
        regions = segment(image, Superpixels(), 0)
        affinity = image_affinity(stored["clip_attention"], stored["dino_attention"], Refinement())
        mask = patch_mask(arrays["cam"], regions["regions"][regions["labels"]], Refinement())
        arrays["refined_cam"] = refine(arrays["cam"], affinity, mask, 2)
        for name, array in arrays.items():
            found.setdefault(name, []).append(array)
    return found


STAGES: dict[str, Callable[[Bench], Iterator[Row]]] = {
    stage.__name__: stage for stage in (extraction, activation, training, prediction, agreement)
}


def main(flags: Namespace) -> None:
    """Measure everything; what fails is told, and the rest goes on."""
    rows: list[Row] = []
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.set_num_threads(flags.threads)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        bench = Bench(Path(folder), flags)
        for name in flags.stages:
            stage = STAGES[name]
            try:
                for row in stage(bench):
                    rows.append(row | {"at": time.perf_counter() - start})
                    print(json.dumps(rows[-1]), flush=True)
                    if flags.output:
                        flags.output.write_text(json.dumps(rows, indent=1) + "\n")
            except Exception:
                traceback.print_exc()


if __name__ == "__main__":
    found = argparse.ArgumentParser(description=__doc__)
    found.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    found.add_argument("--images", type=int, default=384)
    found.add_argument("--threads", type=int, default=8)
    found.add_argument("--tiny", action="store_true", help="the demo's networks, small images")
    found.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    found.add_argument("--output", type=Path)
    main(found.parse_args())
