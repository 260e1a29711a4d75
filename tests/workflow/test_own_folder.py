"""docs/own_data.md, followed literally: its commands, with a training of a few steps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ssr.data.pngs import open_pngs
from tests import ROOT
from tests.workflow.conftest import in_folder, rules_in, workflow_in

pytestmark = pytest.mark.slow

SHORT = """
data: {demo: {train: 10, tune: 2, val: 40}}
alignment: {iterations: 2, batch_size: 8}
segmenter: {iterations: 2, warmup: 1, batch_size: 2}
"""


@pytest.fixture(scope="module")
def blocks() -> list[str]:
    """The shell commands of the document, block by block; the environment is active already."""
    text = (ROOT / "docs/own_data.md").read_text()
    found = re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [block.replace("source .venv/bin/activate\n", "") for block in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone whose demo is small."""
    folder = workflow_in(tmp_path_factory.mktemp("own"))
    (folder / "short.yaml").write_text(SHORT)
    return folder


def shell(folder: Path, commands: str) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    commands = re.sub(r"^(snakemake .*)$", r"\1 short.yaml", commands, flags=re.MULTILINE)
    commands = commands.replace("labels.csv short.yaml", "labels.csv --configfile short.yaml")
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


def test_the_walk_through_the_document_works(folder: Path, blocks: list[str]) -> None:
    make, run, look, add_masks, figures, *_ = blocks
    for commands in (make, run, look):
        shell(folder, commands)
    assert (folder / "results/my_folder/report/index.html").is_file()
    predictions = open_pngs([folder / "results/my_folder/predictions/ssr/train_0000.zip"])
    assert len(predictions) == len(list((folder / "my_predictions").iterdir())) == 40
    assert predictions.read("demo_000000").shape == (112, 112)
    shell(folder, figures)
    assert _rules_behind_a_test_image(folder) == {
        *("index_dataset", "index_masks", "summarise", "build_report"),
        *("predict_logits", "refine_predictions", "archive_predictions"),
    }
    shell(folder, add_masks)
    overlay = (ROOT / "config/my_folder.yaml").read_text()
    overlay = overlay.replace("masks: null", "masks: masks").replace("0.5  # or", "null  # or")
    (folder / "masks.yaml").write_text(overlay)
    rules = rules_in(in_folder(folder)("-n", "--configfile", "masks.yaml"))
    assert {"index_dataset", "choose_threshold", "evaluate_predictions"} <= rules


def _rules_behind_a_test_image(folder: Path) -> set[str]:
    """What a list of test images makes anew: nothing that learns, and no features."""
    table = folder / "data/my_folder/labels.csv"
    before = table.read_text()
    head, *rows = before.splitlines()
    split = [row.replace(",", ",train,", 1) for row in rows]
    table.write_text("\n".join([head.replace(",", ",split,", 1), *split, "new.png,test,\n"]))
    images = folder / "data/my_folder/images"
    shutil.copy(images / "demo_000000.png", images / "new.png")
    overlay = (ROOT / "config/my_folder.yaml").read_text()
    (folder / "new.yaml").write_text(
        overlay.replace("masks: null", "masks: null\n  splits: {test: test}")
    )
    rules = rules_in(in_folder(folder)("-n", "--configfile", "new.yaml", "short.yaml"))
    table.write_text(before)
    (images / "new.png").unlink()
    return rules
