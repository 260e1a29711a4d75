"""Write the procedural scenes as a data set of the format `folder`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ssr.artefacts.files import replacing
from ssr.config import Demo
from ssr.data.demo import image_id, positions
from ssr.data.pngs import encode_png
from ssr.data.tables import COLUMNS
from ssr.demo.scenes import Scene, make_scenes
from ssr.running.progress import progress


def make_demo(demo: Demo, root: Path, processes: int = 1) -> None:
    """Write images/, masks/ and, last, labels.csv: where that is, the data set is whole."""
    table = root / "labels.csv"
    table.unlink(missing_ok=True)
    _clear(root)
    rows = list(_write_scenes(demo, root, processes))
    with replacing(table) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


def _clear(root: Path) -> None:
    """Remove what an earlier demo of another size left, and nothing else."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for path in (root / folder).glob("demo_*.png"):
            path.unlink(missing_ok=True)


def _write_scenes(demo: Demo, root: Path, processes: int) -> Iterator[tuple[str, str, str]]:
    """Write image and mask of each scene; yield its row of labels.csv."""
    split_of = {position: split for split, own in positions(demo).items() for position in own}
    scenes = make_scenes(len(split_of), demo.seed, demo.correlation, processes)
    for position, scene in enumerate(progress(scenes, len(split_of), "making scenes")):
        name = f"{image_id(position)}.png"
        _write_scene(scene, root, name)
        yield name, split_of[position], ";".join(scene.objects)


def _write_scene(scene: Scene, root: Path, name: str) -> None:
    # Whole at every moment: a job that outlived its Snakemake may write the same file late.
    with replacing(root / "images" / name) as temporary:
        Image.fromarray(scene.image).save(temporary, "PNG")
    with replacing(root / "masks" / name) as temporary:
        temporary.write_bytes(encode_png(scene.mask))
