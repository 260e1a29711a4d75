"""Digests of a results folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ssr.running.digests import artefacts, digests

ARTEFACTS = [
    "cams/refined/ssr/val_0000.zarr.zip",
    "index/index.parquet",
    "report/figures/stages.png",
    "segmenter/ssr/history.csv",
    "segmenter/ssr/model.safetensors",
    "summary.json",
]
OF_THE_RUN = [
    "benchmarks/refine_cams/ssr-val_0000.tsv",
    "cams/refined/ssr/.val_0001.zarr.zip.4711.part",
    "logs/refine_cams/ssr-val_0000.log",
    "pretraining/work_clip/2f1c3a7b9e0d/events.out.tfevents.1764.node7.1.0",
    "report/index.html",
    "report/provenance.json",
    "segmenter/ssr/work/df8d2dcad102/iteration_00000004.pt",
]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name in ARTEFACTS + OF_THE_RUN:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def test_artefacts_are_what_does_not_tell_of_the_run(results: Path) -> None:
    assert [str(path) for path in artefacts(results)] == ARTEFACTS


def test_a_digest_is_the_sha256_of_the_content(results: Path) -> None:
    expected = hashlib.sha256(b"summary.json").hexdigest()
    assert digests(results)["summary.json"] == expected


def test_one_flipped_bit_changes_one_digest(results: Path) -> None:
    before = digests(results)
    changed = results / "index/index.parquet"
    changed.write_bytes(bytes([changed.read_bytes()[0] ^ 1]) + changed.read_bytes()[1:])
    after = digests(results)
    assert {name for name in before if before[name] != after[name]} == {"index/index.parquet"}


def test_paths_do_not_depend_on_where_the_folder_lies(results: Path) -> None:
    before = digests(results)
    moved = results.rename(results.with_name("elsewhere"))
    assert digests(moved) == before
