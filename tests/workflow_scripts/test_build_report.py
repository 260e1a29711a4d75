import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.finished_run import finish_run, small_config, small_scenes

Program = Callable[..., None]


def columns(page: str) -> list[str]:
    gallery = page[page.index('class="gallery"') : page.index("</thead>")]
    return re.findall(r'<th scope="col">([^<]+)', gallery)


def test_report_of_a_whole_run(tmp_path: Path, run_program: Program) -> None:
    config = small_config(tmp_path / "data", "ssr", "clip")
    chosen = config.alignment.model_copy(update={"stop": "tune"})
    config = config.model_copy(update={"alignment": chosen})
    run = finish_run(tmp_path, small_scenes(), config)
    seen = run.heads.with_name("chosen.csv")
    seen.write_text("iteration,threshold,miou\n0,0.4,0.25\n12,0.5,0.5\n")
    stale = run.results / "report" / "figures" / "stages_of_a_former_run.png"
    stale.parent.mkdir(parents=True)
    stale.touch()
    run_program("build_report", *run.arguments())
    page = (run.results / "report" / "index.html").read_text()
    assert len(columns(page)) == 10
    assert page.count('class="legend"') == run.config.report.images
    assert (run.results / "report" / "figures" / "stages_a.png").exists()
    assert (run.results / "report" / "figures" / "embedding.svg").exists()
    assert (run.results / "report" / "figures" / "looks.svg").exists()
    assert (run.results / "report" / "tables" / "stages.tex").exists()
    assert not stale.exists()
    made = json.loads((run.results / "report" / "provenance.json").read_text())
    assert (made["jobs"], made["machine"]["cores"] > 0) == (6, True)
    seen.write_text("iteration,threshold\n0,0.4\n")
    with pytest.raises(SystemExit, match=r"^error: .*/chosen\.csv: is no history of a training"):
        run_program("build_report", *run.arguments())


def test_report_of_a_method_without_alignment_and_segmenter(
    tmp_path: Path, run_program: Program
) -> None:
    run = finish_run(tmp_path, small_scenes(), small_config(tmp_path / "data", "clip"))
    run_program("build_report", *run.arguments(without=("aligned-cams", "logits", "predictions")))
    page = (run.results / "report" / "index.html").read_text()
    assert columns(page) == [
        "Image", "Initial CAM", "Colour regions", "Target mask", "Refined CAM", "Pseudo-label",
        "Ground truth",
    ]  # fmt: skip


def test_bad_input_leaves_no_page(
    tmp_path: Path, run_program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finish_run(tmp_path, small_scenes(), small_config(tmp_path / "data", "clip"))
    run.store("superpixels").write_bytes(b"PK cut short")
    with pytest.raises(SystemExit) as stopped:
        run_program("build_report", *run.arguments())
    assert "superpixels" in str(stopped.value)
    assert not (run.results / "report" / "index.html").exists()
