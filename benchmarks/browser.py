"""How long `ssr inspect` takes to start, and to answer, on 10,000 made-up images of VOC's size.

`python -m benchmarks.browser FOLDER` makes FOLDER/results/large where it is missing, starts the
command and prints milliseconds as a browser meets them: median and largest of 60 requests.
"""

from __future__ import annotations

import argparse
import http.client
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from ssr.artefacts.store import ShardWriter
from ssr.config import Config
from ssr.config.settings import record
from ssr.data.index import Image, Index
from ssr.data.masks import Masks
from ssr.data.pngs import PngWriter, encode_png
from ssr.evaluation.image_scores import write_image_counts

IMAGES, SHARD, WITH_FEATURES = 10_000, 200, 8
HEIGHT, WIDTH, PATCH, CLASSES = 375, 500, 16, 20
GRID = (-(-HEIGHT // PATCH), -(-WIDTH // PATCH))
REQUESTS = 60


def make(folder: Path) -> Path:
    """Stores of all stages but the features, which only a few images have: 2.4 MB each."""
    results, root = folder / "results/large", folder / "data"
    if results.exists():
        return results
    root.mkdir(parents=True)
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (GRID[0], GRID[1], 3), np.uint8)
    Picture.fromarray(noise).resize((WIDTH, HEIGHT)).save(root / "image.jpg", quality=90)
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)
    truth[100:300, 100:300] = 1
    (root / "mask.png").write_bytes(encode_png(truth))
    ids = [f"{number:06d}" for number in range(IMAGES)]
    images = [
        Image(name, "image.jpg", WIDTH, HEIGHT, "val", (1, 2), f"val_{place // SHARD:04d}")
        for place, name in enumerate(ids)
    ]
    Index(images).write(results / "index/index.parquet")
    Masks(dict.fromkeys(ids, "mask.png"), root).write(results / "index/masks.parquet")
    rows = np.array([[0, 0, 140_000], [0, 1, 3_000], [1, 0, 9_000], [1, 1, 31_000]])
    for stage in ("aligned_cam", "refined_cam"):
        counts = {name: rows + random.integers(0, 3_000, (4, 1)) * [0, 0, 1] for name in ids}
        write_image_counts(results / f"evaluation/{stage}/ssr/val.images.parquet", counts)
    write_stores(results, ids, encode_png(truth))
    shutil.copytree("backbones", folder / "backbones")  # which the configuration names
    config = Config(dataset="large")
    classes = tuple(f"class {number}" for number in range(CLASSES))
    data = config.data.model_copy(update={"root": "data", "classes": classes})
    record(config.model_copy(update={"data": data}), results)
    return results


def write_stores(results: Path, ids: list[str], png: bytes) -> None:
    """The same arrays for every image."""
    random = np.random.default_rng(0)
    cams = {"cams": random.random((2, *GRID), np.float32), "classes": np.array([1, 2])}
    logits = {"logits": random.random((CLASSES + 1, *GRID)).astype(np.float16)}
    rows, columns = np.indices((GRID[0] * PATCH, GRID[1] * PATCH)) // 40
    labels = (rows * (columns.max() + 1) + columns).astype(np.uint16)
    regions = random.integers(0, 40, int(labels.max()) + 1).astype(np.uint16)
    patches = GRID[0] * GRID[1]
    attention = random.random((patches, patches)).astype(np.float16)
    features = {"clip_attention": attention, "dino_attention": attention, "grid": np.array(GRID)}
    for start in range(0, len(ids), SHARD):
        shard, some = f"val_{start // SHARD:04d}", ids[start : start + SHARD]
        for folder, arrays, chosen in (
            ("cams/initial/ssr", cams, some),
            ("cams/aligned/ssr", cams, some),
            ("cams/refined/ssr", cams, some),
            ("logits/ssr", logits, some),
            ("superpixels/ssr", {"labels": labels, "regions": regions}, some),
            ("features/ssr", features, some[: 0 if start else WITH_FEATURES]),
        ):
            with ShardWriter(results / folder / f"{shard}.zarr.zip", compress=["labels"]) as store:
                for name in chosen:
                    store.add(name, arrays)
        for folder in ("pseudo_labels/ssr", "predictions/ssr"):
            with PngWriter(results / folder / f"{shard}.zip") as pngs:
                for name in some:
                    pngs.add_encoded(name, png)


class Browser:
    """One connection to a server that was just started."""

    def __init__(self, results: Path) -> None:
        start = time.perf_counter()
        command = [sys.executable, "-m", "ssr.command", "inspect", str(results)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.address = self.process.stdout.readline().split()[-1]
        self.connection = http.client.HTTPConnection(self.address.split("/")[2])
        self.ask("")
        print(f"started, first page answered: {time.perf_counter() - start:.2f} s")

    def ask(self, path: str) -> float:
        """Milliseconds until an answer has come whole."""
        start = time.perf_counter()
        target = self.address.split("/", 3)[3] + path
        self.connection.request("GET", f"/{target}", headers={"Accept-Encoding": "gzip"})
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}")
        return 1000 * (time.perf_counter() - start)


def measure(browser: Browser) -> None:
    """Print what everything takes."""
    for path in ("describe.json", "images.json", "scores/refined_cam"):
        print(f"{path}: {browser.ask(path):.0f} ms first, {browser.ask(path):.0f} ms again")
    chosen = [f"{n:06d}" for n in np.random.default_rng(1).choice(IMAGES, REQUESTS, False)]
    stages = ["initial_cam", "refined_cam", "target", "superpixels", "regions", "pseudo_label"]
    stages += ["prediction", "prediction_crf", "truth"]
    tiles = {f"array/{stage}/{{}}": stage for stage in stages}
    tiles |= {"image/{}?side=192": "thumbnail", "image/{}": "image"}
    for path, name in tiles.items():
        show(name, [browser.ask(path.format(image)) for image in chosen])
    first = [browser.ask(f"affinity/{n:06d}?patch=0") for n in range(WITH_FEATURES)]
    show("affinity, an image's first", first)
    ways = ("row", "column")
    paths = [f"affinity/000007?patch={n}&mode={way}" for n in range(REQUESTS // 2) for way in ways]
    show("affinity, later", [browser.ask(path) for path in paths])


def show(name: str, times: list[float]) -> None:
    """Print the median and the largest of some milliseconds."""
    print(f"{name}: median {np.median(times):.1f} ms, largest {max(times):.1f} ms")


def main() -> None:
    """Make what is missing, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    browser = Browser(make(parser.parse_args().folder))
    try:
        measure(browser)
    finally:
        browser.process.terminate()


if __name__ == "__main__":
    main()
