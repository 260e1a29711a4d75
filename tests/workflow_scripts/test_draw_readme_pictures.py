from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssr.report.dag import draw_dag
from ssr.report.sheet import HEAD

Program = Callable[..., None]


def sheet(path: Path, colour: str, width: int = 200) -> Path:
    Image.new("RGB", (width, HEAD + 50), colour).save(path)
    return path


def test_without_a_run_only_the_dag_is_drawn(tmp_path: Path, run_program: Program) -> None:
    run_program("draw_readme_pictures", "--output", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["dag.svg"]
    assert (tmp_path / "dag.svg").read_text(encoding="utf-8") == draw_dag()


def test_sheets_are_stacked_below_one_head(tmp_path: Path, run_program: Program) -> None:
    sheets = [sheet(tmp_path / "a.png", "#0000ff"), sheet(tmp_path / "b.png", "#ff0000")]
    run_program("draw_readme_pictures", "--output", tmp_path, "--width", 100, "--sheets", *sheets)
    drawn = np.array(Image.open(tmp_path / "cam_stages.png").convert("RGB"))
    assert drawn.shape == ((HEAD + 50 + 50) // 2, 100, 3)
    assert drawn[0, 0].tolist() == [0, 0, 255]
    assert drawn[-1, 0].tolist() == [255, 0, 0]


def test_sheets_of_other_stages_do_not_go_together(tmp_path: Path, run_program: Program) -> None:
    sheets = [sheet(tmp_path / "a.png", "#0000ff"), sheet(tmp_path / "b.png", "#ff0000", 100)]
    with pytest.raises(SystemExit, match="differ in width"):
        run_program("draw_readme_pictures", "--output", tmp_path, "--sheets", *sheets)
