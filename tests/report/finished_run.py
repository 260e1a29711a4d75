"""What a finished run leaves behind, on scenes that are given: every file by its own writer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Picture
from scipy import ndimage

from ssr.alignment.heads import HeadOptions, new_heads
from ssr.alignment.prototypes import make_prototypes
from ssr.alignment.samples import Samples
from ssr.alignment.trained import save_aligner
from ssr.artefacts.arrays import save_arrays
from ssr.artefacts.store import ShardWriter
from ssr.cams.superpixels import segment
from ssr.config import Config
from ssr.data.index import Image, Index
from ssr.data.masks import Masks
from ssr.data.pngs import PngWriter, encode_png
from ssr.evaluation.evaluation import (
    count,
    count_cams,
    count_labels,
    count_logits,
    curve,
    pair_with_masks,
    quality,
    write_evaluation,
)
from ssr.evaluation.metrics import best, confusion_at, sweep, thresholds
from ssr.report.stages import CAM_STAGES
from workflow_scripts.summarise import evaluation

PATCH = 8
# How blurred and how noisy the made-up maps of a stage are.
BLUR = {"initial_cam": (9, 0.5), "aligned_cam": (6, 0.35), "refined_cam": (3, 0.15)}
METHODS_WITH = {
    "initial_cam": [("ssr", "clip", "no_refinement", "clip_attention")],
    "aligned_cam": [("ssr", "no_refinement", "clip_attention")],
    "refined_cam": [("ssr",), ("clip",), ("no_refinement",), ("clip_attention",)],
    "pseudo_label": [("ssr",), ("clip",), ("no_refinement",), ("clip_attention",)],
    "prediction": [("ssr",)],
    "prediction_crf": [("ssr",)],
}

Scene = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class FinishedRun:
    """Its folder of results, the data it was made of, and its settings."""

    results: Path
    root: Path
    config: Config
    split: str = "val"

    @property
    def shard(self) -> str:
        return f"{self.split}_0000"

    def store(self, folder: str, suffix: str = ".zarr.zip") -> Path:
        return self.results / folder / f"{self.shard}{suffix}"

    @property
    def prototypes(self) -> Path:
        return self.results / "prototypes" / "ssr" / "2.npz"

    @property
    def heads(self) -> Path:
        return self.results / "alignment" / "ssr" / "2.safetensors"

    def evaluations(self, split: str) -> list[str]:
        """METHOD/SEED=FILE of all evaluations of the configured methods on a split."""
        return [
            f"{method}/{self.config.seed}={path}"
            for stage, groups in METHODS_WITH.items()
            for shared in groups
            for method in shared
            for path in [self.results / f"evaluation/{stage}/{shared[0]}/{split}.json"]
            if method in self.config.methods and path.exists()
        ]

    def pairs(self, split: str) -> list[tuple[str, Path]]:
        """The same as the program reads them."""
        return [(one.method, one.path) for one in map(evaluation, self.evaluations(split))]

    def arguments(self, without: tuple[str, ...] = ()) -> list[str]:
        """The command line of build_report for the first method, without some of its stores."""
        stores = {
            "superpixels": self.store("superpixels"),
            "initial-cams": self.store("cams/initial_cam"),
            "aligned-cams": self.store("cams/aligned_cam"),
            "refined-cams": self.store("cams/refined_cam"),
            "pseudo-labels": self.store("pseudo_labels", ".zip"),
            "logits": self.store("logits"),
            "predictions": self.store("predictions", ".zip"),
        }
        flags = [
            [f"--{name}"] if name in without else [f"--{name}", str(stores[name])]
            for name in stores
        ]
        return [
            *("--config", self.config.model_dump_json()),
            *("--method", next(iter(self.config.methods))),
            *("--shards", self.shard, "--summary", str(self.results / "summary.json")),
            *("--index", str(self.results / "index.parquet")),
            *("--masks", str(self.results / "masks.parquet")),
            *("--evaluations", *self.evaluations("val")),
            *("--sweeps", *self.evaluations("tune")),
            *chain(*flags),
            *("--prototypes", *(() if "aligned-cams" in without else (str(self.prototypes),))),
            *("--heads", *(() if "aligned-cams" in without else (str(self.heads),))),
            *("--output", str(self.results / "report" / "index.html")),
        ]


def small_scenes() -> dict[str, Scene]:
    """Four scenes of 48 × 64 pixels: a class on the left, another on the right, or none."""
    random = np.random.default_rng(0)
    scenes = {}
    for name, (left, right) in {"a": (1, 2), "b": (1, 0), "c": (3, 2), "d": (0, 0)}.items():
        mask = np.zeros((48, 64), np.uint8)
        mask[8:40, 4:28] = left
        mask[16:40, 36:60] = right
        mask[-2:] = 255
        colours = np.array([[90, 140, 90], [200, 60, 60], [60, 60, 200], [220, 200, 60]])
        pixels = colours[np.where(mask == 255, 0, mask)] + random.integers(-20, 20, (48, 64, 3))
        scenes[name] = (pixels.astype(np.uint8), mask)
    return scenes


def small_config(root: Path, *methods: str) -> Config:
    """Settings of a run with these methods on three classes."""
    base = Config()
    clip = base.backbones.clip.model_copy(update={"weights": "random"})
    return Config(
        dataset="small",
        data=base.data.model_copy(update={"root": str(root), "classes": ("cat", "dog", "owl")}),
        backbones=base.backbones.model_copy(update={"clip": clip}),
        report=base.report.model_copy(update={"images": 3}),
        methods={name: base.methods[name] for name in methods},
        segmenter_methods=("ssr",) if "ssr" in methods else (),
    )


def finish_run(folder: Path, scenes: dict[str, Scene], config: Config) -> FinishedRun:
    """Write all that the report reads below `folder`; the scenes are both val and tune."""
    run = FinishedRun(folder / "results", folder / "data", config)
    _write_data(run, scenes)
    _write_stores(run, scenes)
    _write_evaluations(run, scenes)
    _write_benchmarks(run)
    _write_histories(run)
    write_alignment(run.prototypes, run.heads, len(config.data.classes))
    (run.results / "summary.json").write_text("[]")
    return run


def _write_data(run: FinishedRun, scenes: dict[str, Scene]) -> None:
    images, masks = [], {}
    run.root.mkdir(parents=True)
    for name, (pixels, mask) in scenes.items():
        Picture.fromarray(pixels).save(run.root / f"{name}.png")
        (run.root / f"{name}_mask.png").write_bytes(encode_png(mask))
        height, width = mask.shape
        labels = tuple(int(value) for value in np.unique(mask) if value not in (0, 255))
        images.append(Image(name, f"{name}.png", width, height, run.split, labels, run.shard))
        masks[name] = f"{name}_mask.png"
    Index(tuple(images)).write(run.results / "index.parquet")
    Masks(masks, run.root).write(run.results / "masks.parquet")


def _write_stores(run: FinishedRun, scenes: dict[str, Scene]) -> None:
    random = np.random.default_rng(0)
    classes = len(run.config.data.classes) + 1
    with ShardWriter(run.store("superpixels")) as writer:
        for name, (pixels, _) in scenes.items():
            writer.add(name, segment(pixels, run.config.superpixels, 0))
    for stage in CAM_STAGES:
        with ShardWriter(run.store(f"cams/{stage}")) as writer:
            for name, (_, mask) in scenes.items():
                present = np.array([v for v in np.unique(mask) if v not in (0, 255)])
                cams = [_blurred(mask == value, *BLUR[stage], random) for value in present]
                shape = (0, mask.shape[0] // PATCH, mask.shape[1] // PATCH)
                maps = np.stack(cams) if cams else np.zeros(shape, np.float32)
                writer.add(name, {"cams": maps, "classes": present.astype(np.int64)})
    with ShardWriter(run.store("logits")) as writer:
        for name, (_, mask) in scenes.items():
            logits = [_blurred(mask == value, 3, 0.4, random) for value in range(classes)]
            writer.add(name, {"logits": np.stack(logits).astype(np.float16)})
    for folder, shift in (("pseudo_labels", 5), ("predictions", 2)):
        with PngWriter(run.store(folder, ".zip")) as pngs:
            for name, (_, mask) in scenes.items():
                labels = np.roll(np.where(mask == 255, 0, mask), shift, axis=1)
                labels[:shift, :] = 255 if folder == "pseudo_labels" else 0
                pngs.add(name, labels)


def _blurred(
    on: NDArray[np.bool_], sigma: float, noise: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """The truth on the patch grid, blurred and with noise."""
    soft = ndimage.gaussian_filter(on.astype(np.float32), sigma)[
        PATCH // 2 :: PATCH, PATCH // 2 :: PATCH
    ]
    grid = soft[: on.shape[0] // PATCH, : on.shape[1] // PATCH]
    rough = ndimage.gaussian_filter(random.random(grid.shape), 0.8) * noise
    return (grid / max(float(grid.max()), 1e-6) + rough).astype(np.float32)


def _write_evaluations(run: FinishedRun, scenes: dict[str, Scene]) -> None:
    names = ["background", *run.config.data.classes]
    images = Index.read(run.results / "index.parquet").images
    masks = Masks.read(run.results / "masks.parquet", run.root)
    stores: dict[str, tuple[Path, Callable]] = {
        "pseudo_label": (run.store("pseudo_labels", ".zip"), count_labels),
        "prediction": (run.store("logits"), count_logits),
        "prediction_crf": (run.store("predictions", ".zip"), count_labels),
    } | {stage: (run.store(f"cams/{stage}"), count_cams) for stage in CAM_STAGES}
    for stage, groups in METHODS_WITH.items():
        path, counter = stores[stage]
        shards = pair_with_masks([path], images, masks)
        counts = count(partial(counter, classes=len(names)), shards, 1).total
        document = {"stage": stage, "split": "val", "images": len(scenes), "crf": False}
        document |= {"miou_given_labels": None, "protocol": "held_out"}
        document |= {"scales": None, "flip": None, "threshold": None, "threshold_from": None}
        if stage.startswith("prediction"):
            document |= {"scales": [1.0, 0.75], "flip": True, "crf": stage.endswith("crf")}
        if stage == "prediction":
            counts, given = counts
            document |= {"miou_given_labels": quality(given, names)["miou"]}
        if stage in CAM_STAGES:
            scores = sweep(counts)
            chosen = best(scores)
            document |= {"threshold": float(thresholds(100)[chosen]), "sweep": curve(scores)}
            document |= {"threshold_from": {"split": "tune", "images": len(scenes)}}
            counts = np.pad(confusion_at(counts, chosen), ((0, 0), (0, 1)))
        document |= quality(counts, names)
        for methods in groups:
            folder = run.results / "evaluation" / stage / methods[0]
            write_evaluation(folder / "val.json", document)
            if stage in CAM_STAGES:
                write_evaluation(folder / "tune.json", document | {"split": "tune"})


def _write_benchmarks(run: FinishedRun) -> None:
    for number, rule in enumerate(("refine_cams", "extract_features", "index_dataset")):
        folder = run.results / "benchmarks" / rule
        folder.mkdir(parents=True)
        for job in range(number + 1):
            row = f"{1.5 + job}\t0:00:01\t{'-' if number == 2 else 400 + job}\n"
            (folder / f"{job}.tsv").write_text(f"s\th:m:s\tmax_rss\n{row}")


def _write_histories(run: FinishedRun) -> None:
    random = np.random.default_rng(0)
    for path, steps in (
        ("alignment/ssr/1", 60),
        ("alignment/ssr/2", 60),
        ("segmenter/ssr/history", 90),
    ):
        file = run.results / f"{path}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"{n},{2 / (1 + n / 20) + 0.2 * random.random()},0.1" for n in range(1, steps + 1)]
        file.write_text("\n".join(["iteration,loss,other", *rows]) + "\n")


def write_alignment(prototypes: Path, heads: Path, classes: int) -> None:
    """Prototypes and heads of eight samples of each class and of a background."""
    random = np.random.default_rng(0)
    texts = np.eye(classes + 1, 6, dtype=np.float32)
    labels = np.tile(np.arange(classes + 1), 8)
    features = texts[labels] + 0.2 * random.standard_normal((len(labels), 6)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    samples = Samples(np.array([f"{n}" for n in range(len(labels))]), labels, features)
    made = new_heads(
        HeadOptions(6, width=8), torch.from_numpy(features), torch.from_numpy(texts), seed=0
    )
    for path in (prototypes, heads):
        path.parent.mkdir(parents=True, exist_ok=True)
    save_arrays(prototypes, samples, make_prototypes(made, samples, texts, classes, classes, 0))
    save_aligner(heads, made, {})
