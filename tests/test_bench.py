"""The table of docs/performance.md: what `make bench` measures and writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bench, bench_stages, opened
from benchmarks.bench import ROWS
from benchmarks.bench_rows import Material, Pair
from ssr.data.check import check_dataset
from tests.backbone_models import tiny_clip

PHOTOGRAPH = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)


def test_both_ways_give_the_same_cams_and_attention(tmp_path: Path) -> None:
    material = Material([PHOTOGRAPH], tiny_clip(tmp_path))
    pair = next(ROWS["cam_from_image_2"](material))
    for own, other in zip(pair.ours(), pair.reference(), strict=True):
        np.testing.assert_allclose(own, other, atol=1e-4)


def test_labels_of_both_ways_are_alike(tmp_path: Path) -> None:
    material = Material([PHOTOGRAPH], tiny_clip(tmp_path))
    pair = next(ROWS["pseudo_label_from_image"](material))
    assert (pair.ours() == pair.reference()).mean() > 0.95


def test_cmpa_learns_the_same_from_stored_features_as_from_the_network(tmp_path: Path) -> None:
    material = Material([PHOTOGRAPH, PHOTOGRAPH[:, ::-1].copy()], tiny_clip(tmp_path))
    pair = next(ROWS["align_prototypes"](material))
    losses = [(pair.ours(), pair.reference()) for _ in range(3)]
    assert losses[0] != losses[2]
    ours, reference = np.moveaxis(losses, 1, 0)
    np.testing.assert_allclose(ours, reference, rtol=1e-5)


def test_the_data_set_to_be_indexed_is_sound_and_its_files_are_those_that_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_stages, "FILES", 3)
    checked = check_dataset(bench_stages.write_data_set(tmp_path, [PHOTOGRAPH]))
    ids = {image.id for image in checked.index.images}
    assert (ids, {*checked.masks.ids}) == ({"0", "1", "2"}, {"0", "1", "2"})
    names = [f"{name}{suffix}" for name in sorted(ids) for suffix in (".jpg", ".png")]
    assert sorted(path.name for path in opened.files(tmp_path)) == names


def test_a_row_is_the_median_of_ratios_with_its_range(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.0, 4.0, 4.0, 2.0, 1.0, 2.0])  # in turn: reference first, then ours first, …
    monkeypatch.setattr(bench, "processor_seconds", lambda call: (next(clock), call()))
    row = bench.measure("superpixels", [Pair(lambda: 0, lambda: 0)], repeats=3)
    assert (row["ratio"], row["low"], row["high"]) == (2, 2, 4)
    assert (row["ours"], row["reference"], row["repeats"]) == (4, 1, 3)


def test_results_that_should_agree_and_do_not_are_refused() -> None:
    pair = Pair(lambda: [np.zeros(2)], lambda: [np.full(2, 0.5)])
    with pytest.raises(AssertionError, match=r"cam_from_image_1: results are 0\.5 apart"):
        bench.measure("cam_from_image_1", [pair], repeats=1)


def test_the_table_stands_between_its_marks(tmp_path: Path) -> None:
    row = {
        "ratio": 0.5,
        "low": 0.4,
        "high": 0.6,
        "ours": 1,
        "reference": 2,
        "repeats": 8,
        "images": 4,
    }
    for name in ("predict", "superpixels", "gone"):
        (tmp_path / f"{name}.json").write_text(json.dumps(row | {"name": name}))
    document = tmp_path / "performance.md"
    document.write_text(f"above\n{bench.BEGIN}old\n{bench.END}below\n")
    bench.write_table(document, tmp_path)
    above, _, *rows, below = document.read_text().splitlines()
    assert (above, below) == ("above", "below")
    assert [line.split("`")[1] for line in rows if "`" in line] == ["superpixels", "predict"]
    assert "| `predict` | 1 | 2 | **0.5** (0.4 to 0.6) | 8 on 4 |" in rows


def test_the_page_has_a_place_for_the_table_and_its_files_are_of_rows() -> None:
    assert bench.DOCUMENT.read_text().partition(bench.BEGIN)[2].partition(bench.END)[1]
    assert {path.stem for path in bench.RESULTS.glob("*.json")} <= set(ROWS)
