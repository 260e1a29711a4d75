"""Damaged artefacts, of every kind that a results folder holds."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from ssr.artefacts.store import ShardWriter
from ssr.artefacts.tensors import write_tensors
from ssr.data.index import Image, Index
from ssr.data.pngs import PngWriter, encode_png
from ssr.doctor.artefacts import damaged
from ssr.evaluation.evaluation import write_evaluation

LABELS = np.zeros((4, 4), np.uint8)
SEALED = [
    "features/ssr/val_0000.zarr.zip",
    "index/index.parquet",
    "predictions/ssr/val_0000.zip",
    "evaluation/prediction/ssr/val.json",
    "segmenter/ssr/model.safetensors",
]
OTHERS = {
    "summary.json": b"[]\n",
    "alignment/ssr/1.csv": b"iteration,loss\n1,0.5\n",
    "report/figures/stages.png": encode_png(LABELS),
    "submission/ssr.tar.gz": gzip.compress(b"x" * 100),
}


def image(name: str, shard: str, labels: tuple[int, ...] = (1,)) -> Image:
    return Image(name, f"{name}.png", 4, 4, shard.partition("_")[0], labels, shard)


def write_store(path: Path, ids: list[str]) -> None:
    with ShardWriter(path) as writer:
        for name in ids:
            writer.add(name, {"x": np.arange(3)})


@pytest.fixture
def results(tmp_path: Path) -> Path:
    Index([image("a", "val_0000"), image("b", "val_0000", ())]).write(tmp_path / SEALED[1])
    write_store(tmp_path / SEALED[0], ["a", "b"])
    with PngWriter(tmp_path / SEALED[2]) as writer:
        writer.add("a", LABELS)
        writer.add("b", LABELS)
    write_evaluation(tmp_path / SEALED[3], {"miou": 0.5})
    write_tensors(tmp_path / SEALED[4], {"weight": torch.ones(3)})
    for name, content in OTHERS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def found(results: Path, name: str) -> list[str]:
    return [finding.text for finding in damaged(results, [Path(name)])]


def test_what_was_written_is_sound(results: Path) -> None:
    assert damaged(results, [*map(Path, SEALED), *map(Path, OTHERS)]) == []


@pytest.mark.parametrize("name", SEALED)
def test_a_flipped_bit_is_found_wherever_it_is(results: Path, name: str) -> None:
    content = (results / name).read_bytes()
    for position in range(0, len(content), max(1, len(content) // 40)):
        flipped = bytearray(content)
        flipped[position] ^= 4
        (results / name).write_bytes(flipped)
        assert len(found(results, name)) == 1, position


@pytest.mark.parametrize("name", [*SEALED, *OTHERS])
def test_a_file_cut_short_is_named_with_the_command_that_removes_it(
    results: Path, name: str
) -> None:
    (results / name).write_bytes((results / name).read_bytes()[:-20])
    if name == "alignment/ssr/1.csv":
        (results / name).write_text("iteration,loss\n1\n")
    if name == "summary.json":
        (results / name).write_text("[")
    (finding,) = damaged(results, [Path(name)], {results / name})
    assert finding.text.startswith(f"{results / name}: ")
    assert finding.command == f"rm {results / name}"


def test_what_snakemake_does_not_know_is_made_anew_with_what_it_lies_beside(results: Path) -> None:
    (results / "report/figures/stages.png").write_bytes(b"")
    page = results / "report/index.html"
    (finding,) = damaged(results, [Path("report/figures/stages.png")], {page})
    assert finding.command == f"rm {results}/report/figures/stages.png {page}"


def test_images_missing_from_a_store_are_found(results: Path) -> None:
    write_store(results / SEALED[0], ["a"])
    assert found(results, SEALED[0]) == [f"{results / SEALED[0]}: lacks image b of its shard"]


def test_images_of_another_shard_are_found(results: Path) -> None:
    write_store(results / SEALED[0], ["a", "b", "c", "d"])
    assert "holds image c and 1 more of another shard" in found(results, SEALED[0])[0]


def test_an_image_without_labels_needs_no_cams(results: Path) -> None:
    write_store(results / "cams/initial/ssr/val_0000.zarr.zip", ["a"])
    assert not found(results, "cams/initial/ssr/val_0000.zarr.zip")


def test_a_store_of_no_shard_is_found(results: Path) -> None:
    write_store(results / "features/ssr/val_0009.zarr.zip", ["a"])
    assert "no shard is named val_0009" in found(results, "features/ssr/val_0009.zarr.zip")[0]


def test_without_an_index_the_other_checks_go_on(results: Path) -> None:
    (results / SEALED[1]).unlink()
    assert not found(results, SEALED[0])
