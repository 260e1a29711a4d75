"""The trainings behind docs/results.md's "When the method pays" still run."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from benchmarks.clip_stack import orthogonal
from benchmarks.dose_training import DOSES, main


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doses")
    flags = ["--work", f"{folder}/work", "--output", f"{folder}/out", "--scenes", "20"]
    flags += ["--seeds", "1", "--steps", "3", "--shrink", "10", "--workers", "1"]
    for program in ("scenes", "clip", "dino"):
        main([program, *flags])
    return folder / "out"


def test_doses_differ_by_their_strokes_alone(trained: Path) -> None:
    clips = {dose: load_file(trained / f"clip_{100 * dose:g}_0.safetensors") for dose in DOSES}
    assert not same(clips[0.0], clips[1.0])
    assert all(torch.isfinite(value).all() for clip in clips.values() for value in clip.values())


def test_a_dino_is_written_when_grouping_starts_later_and_at_the_end(trained: Path) -> None:
    found = {path.stem for path in trained.glob("dino_*")}
    assert found == {"dino_early", "dino_middle", "dino_last"}


def test_orthogonal_brings_singular_values_near_one() -> None:
    start = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(start))
    assert ((values > 0.6) & (values < 1.3)).all()
