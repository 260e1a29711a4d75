"""Measure the index stage and the planning of data sets of any size, made of stubs.

    python -m benchmarks.scale voc|coco FOLDER [--lists LISTS] [--threads N]
    python -m benchmarks.scale folder FOLDER --images N [--threads N]

FOLDER takes the stubs (hard links to a few small files) and the results; LISTS holds official lists
to use in place of invented ones: for voc ImageSets/Segmentation/*.txt, for coco train.txt and
val.txt of lines `id index index …`. A folder of more than 200,000 images is lines of labels.csv
alone: it is planned, not indexed. What it printed is in docs/voc_coco.md and docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from ssr.config import DEFAULT_METHODS, Config, Data
from ssr.config.methods import merge
from ssr.config.settings import parse_config
from ssr.data.pngs import encode_png

REPOSITORY = Path(__file__).parent.parent
SIZE = (48, 64)  # height, width of a stub
SIZES = {
    "voc": {"train_aug": 10_582, "train": 1_464, "val": 1_449, "test": 1_456},
    "coco": {"train": 82_081, "val": 40_137},
}
# About as many annotations and corners as an image of COCO has.
ANNOTATIONS, CORNERS = 7, 24
# Beyond so many of a folder, there are no pictures.
MOST_PICTURES = 200_000
# File systems allow some 65,000 links to one file.
LINKS = 60_000
Lists = dict[str, dict[str, list[int]]]


def main() -> None:
    """Make the stubs where they are missing, then measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("format", choices=(*SIZES, "folder"))
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--lists", type=Path)
    arguments.add_argument("--images", type=int, default=10**6, help="of a folder")
    arguments.add_argument("--threads", type=int, default=2)
    parsed = arguments.parse_args()
    of_folder = parsed.format == "folder"
    root = parsed.folder.absolute() / f"{parsed.format}{parsed.images if of_folder else ''}"
    if not (root / "made").exists():
        make(parsed, root)
        (root / "made").touch()
    measure(parsed.format, root, parsed.threads)


def make(parsed: argparse.Namespace, root: Path) -> None:
    """Make the stubs."""
    if parsed.format == "folder":
        make_folder(root, parsed.images)
        return
    lists = read_lists(parsed.format, parsed.lists)
    make_voc(root, lists) if parsed.format == "voc" else make_coco(root, lists)


def read_lists(name: str, folder: Path | None) -> Lists:
    """Labels from 0 of each image of each list; invented where there is none to be read."""
    chosen = random.Random(0)
    lists: Lists = {}
    for split, size in SIZES[name].items():
        path = folder / f"{split}.txt" if folder else None
        if path and path.exists():
            rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
        else:
            rows = [[invented_id(name, split, number)] for number in range(size)]
        classes = 20 if name == "voc" else 80
        lists[split] = {
            row[0]: [int(n) for n in row[1:]] or chosen.sample(range(classes), 2) for row in rows
        }
    return lists


def invented_id(name: str, split: str, number: int) -> str:
    """An id as the official ones look; the images of train are among those of train_aug."""
    if name == "coco":
        return f"COCO_{split}2014_{number:012d}"
    year = {"train_aug": 2008, "train": 2008, "val": 2098, "test": 2099}[split]
    return f"{year}_{number:06d}"


def make_voc(root: Path, lists: Lists) -> None:
    """JPEGImages, SegmentationClassAug, the lists and the labels as one file."""
    folder = root / "ImageSets" / "Segmentation"
    folder.mkdir(parents=True)
    for split, images in lists.items():
        (folder / f"{split}.txt").write_text("\n".join(images))
    images = {image: own for part in lists.values() for image, own in part.items()}
    link(root / "JPEGImages", [f"{image}.jpg" for image in images])
    masked = [f"{image}.png" for image in images if image not in lists["test"]]
    link(root / "SegmentationClassAug", masked)
    rows = [" ".join(map(str, (image, *own))) for image, own in images.items()]
    (root / "labels.txt").write_text("\n".join(rows))


def make_coco(root: Path, lists: Lists) -> None:
    """train2014, val2014 and their instances files."""
    (root / "annotations").mkdir(parents=True)
    names = overlay("coco", root)["data"]["classes"]
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    for split, images in lists.items():
        link(root / f"{split}2014", [f"{image}.jpg" for image in images])
        entries = [
            {"id": n, "file_name": f"{image}.jpg", "height": SIZE[0], "width": SIZE[1]}
            for n, image in enumerate(images)
        ]
        content = {"images": entries, "categories": categories}
        content["annotations"] = annotations(list(images.values()))
        path = root / "annotations" / f"instances_{split}2014.json"
        path.write_text(json.dumps(content))


def make_folder(root: Path, images: int) -> None:
    """labels.csv, all of train, and images/, empty where there are too many."""
    classes, chosen = overlay("folder", root)["data"]["classes"], random.Random(0)
    names = [f"image_{number:08d}.jpg" for number in range(images)]
    root.mkdir(parents=True)
    with (root / "labels.csv").open("w") as file:
        file.write("image,labels\n")
        file.writelines(f"{name},{';'.join(chosen.sample(classes, 2))}\n" for name in names)
    link(root / "images", names if images <= MOST_PICTURES else [])


def annotations(labels: list[list[int]]) -> list[dict]:
    """Random polygons of the classes of each image."""
    corners = np.random.default_rng(0)
    return [
        {
            "id": 1000 * image + number,
            "image_id": image,
            "category_id": own[number % len(own)] + 1,
            "iscrowd": 0,
            "area": 500.0,
            "bbox": [0, 0, 1, 1],
            "segmentation": [corners.uniform(0, SIZE[0], 2 * CORNERS).round(2).tolist()],
        }
        for image, own in enumerate(labels)
        for number in range(max(ANNOTATIONS, len(own)))
    ]


def link(folder: Path, names: list[str]) -> None:
    """Fill a folder with links to a small JPEG or mask."""
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    for position, name in enumerate(names):
        if position % LINKS == 0:
            first = folder / name
            if name.endswith(".png"):
                first.write_bytes(encode_png(np.zeros(SIZE, np.uint8)))
            else:
                Image.fromarray(pixels).save(first)
        else:
            os.link(first, folder / name)


def overlay(name: str, root: Path) -> dict:
    """The settings of config/{name}.yaml, or of photographs, for the stubs below `root`."""
    preset = "photographs" if name == "folder" else name
    settings = yaml.safe_load((REPOSITORY / "config" / f"{preset}.yaml").read_text())
    changes: dict = {"dataset": f"{name}_stubs", "data": {"root": str(root)}}
    if name == "folder":
        classes = list(Data().classes)
        changes["data"] |= {"format": name, "masks": None, "classes": classes, "shard_size": "auto"}
        only_ssr = {method: None for method in DEFAULT_METHODS if method != "ssr"}
        changes |= {"labels": {"threshold": 0.5}, "methods": only_ssr}
    if name == "voc":
        changes["data"] |= {"labels_file": "labels.txt", "splits": {"test": "test"}}
    random_weights = {"clip": {"weights": "random"}, "dino": {"weights": "random"}}
    return merge(merge(settings, changes), {"backbones": random_weights})


def measure(name: str, root: Path, threads: int) -> None:
    """Print wall time and peak memory of each step."""
    settings = overlay(name, root)
    (root / "overlay.yaml").write_text(yaml.safe_dump(settings))
    defaults = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    config = parse_config(merge(defaults, settings))
    if name != "folder" or any((root / "images").iterdir()):
        read(name, root, config, threads)
    plan = ("-m", "snakemake", "-n", "--quiet", "all", "--configfile", root / "overlay.yaml")
    step("plan", *plan)


def read(name: str, root: Path, config: Config, threads: int) -> None:
    """Measure the steps that open every stub."""
    data = config.data
    results = root / "results"
    if name == "coco":
        for folder in ("train2014", "val2014"):
            instances = root / "annotations" / f"instances_{folder}.json"
            flags = ["--instances", instances, "--classes", *data.classes]
            program = "workflow_scripts.derive_coco_labels"
            step(
                f"labels of {folder}", "-m", program, *flags, "--output", results / f"{folder}.txt"
            )
            program = "workflow_scripts.derive_coco_masks"
            flags += ["--threads", threads, "--output", results / f"{folder}.zip"]
            step(f"masks of {folder}", "-m", program, *flags)
    flags = ["--data", data.canonical(without=("demo",)), "--derived", results]
    flags += ["--threads", threads]
    index, images = results / "index.parquet", config.images.canonical()
    for name, own in (
        ("index_dataset", ["--images", images, "--output", index]),
        ("index_masks", ["--index", index, "--output", results / "masks.parquet"]),
    ):
        step(name, "-m", f"workflow_scripts.{name}", *flags, *own)


def step(title: str, *command: object) -> None:
    """Run a Python command; print its wall time, processor time and peak memory of one process."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)], cwd=REPOSITORY, stdout=printed, stderr=printed
        )
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            printed.seek(0)
            sys.exit(f"{title} failed\n{printed.read()[-4000:]}")
    seconds = time.perf_counter() - start
    cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    print(f"{title}: {seconds:.1f} s, {cpu:.1f} s of cores, {memory:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
