"""What another system made in a run: imported, and made anew where its files change."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssr.artefacts.store import open_shards
from ssr.config import DEFAULT_METHODS
from ssr.doctor.originals import replaced
from ssr.doctor.workflow import ask, stale
from tests.workflow.conftest import Run, in_folder, rules_in, workflow_in

pytestmark = pytest.mark.slow

PEER = "foreign: {peer: {path: peer, format: npy}}"
CAMS = "results/my_folder/cams/initial/peer/train_0000.zarr.zip"


def save(folder: Path, name: str, value: float) -> None:
    maps = np.linspace(0, value, 24).reshape(1, 4, 6)
    np.save(folder / f"peer/{name}.npy", {"keys": np.array([2]), "cam": maps}, allow_pickle=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone, in which the test stands, with two images and maps of another system for them."""
    monkeypatch.chdir(workflow_in(tmp_path))
    (tmp_path / "peer.yaml").write_text(f"{PEER}\nprototypes: {{clusters: 2}}")
    (tmp_path / "data/my_folder/images").mkdir(parents=True)
    (tmp_path / "peer").mkdir()
    for name in "ab":
        Image.new("RGB", (24, 16)).save(tmp_path / f"data/my_folder/images/{name}.png")
        save(tmp_path, name, 1)
    (tmp_path / "data/my_folder/labels.csv").write_text("image,labels\na.png,boat\nb.png,boat\n")
    return tmp_path


def test_they_are_imported_without_features_and_again_where_a_file_changed(folder: Path) -> None:
    overlays = ("--configfile", "config/my_folder.yaml", "peer.yaml")

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return in_folder(folder)(*arguments, CAMS, *overlays, check=check)

    assert rules_in(run("-n")) == {"index_dataset", "import_cams"}
    run("--cores", "2")
    assert open_shards([CAMS]).read("a", "cams").shape == (1, 4, 6)
    for name in "ab":
        os.utime(folder / f"peer/{name}.npy", (1, 1))
    assert rules_in(run("-n")) == set(), "a copy with other dates"
    save(folder, "b", 2)
    assert rules_in(run("-n")) == {"import_cams"}
    (finding,) = stale(ask(overlays[1:]))
    assert finding.text == "import_cams (1 file): CAMs of the other system changed"
    assert [found.text for found in replaced(Path("results/my_folder"))] == [
        f"peer/b.npy: is not what {CAMS} was made of"
    ]
    (folder / "peer/b.npy").unlink()
    refused = run("--cores", "2", check=False)
    assert "1 × image without its file: b.npy" in refused.stdout + refused.stderr


def test_every_stage_but_the_alignment_goes_on_from_them(clone: Run) -> None:
    more = ("--config", PEER.replace(": ", "=", 1), "segmenter_methods=['ssr','peer']")
    before, with_peer = clone("-n"), clone("-n", *more)
    assert rules_in(with_peer) == rules_in(before) | {"import_cams"}
    made = [line for line in with_peer.stdout.splitlines() if line.strip().startswith("output: ")]
    own = {line.split("/peer/")[0].split("/demo/")[-1] for line in made if "/peer/" in line}
    assert own == {
        *("cams/initial", "cams/refined", "pseudo_labels", "segmenter", "logits", "predictions"),
        *(f"evaluation/{stage}" for stage in ("initial_cam", "refined_cam", "pseudo_label")),
        *("evaluation/prediction", "evaluation/prediction_crf"),
    }


def test_predictions_cost_their_evaluation_alone(clone: Run) -> None:
    more = ("--config", "foreign={peer: {path: peer, format: predictions}}")
    before, with_peer = clone("-n"), clone("-n", *more)
    assert rules_in(with_peer) == rules_in(before) | {"import_predictions", "evaluate_foreign"}
    made = [line for line in with_peer.stdout.splitlines() if line.strip().startswith("output: ")]
    assert [line.split()[1] for line in made if "/peer/" in line] == [
        "results/demo/imported/peer/val_0000.zip",
        "results/demo/evaluation/prediction/peer/val.json,",
    ]


def test_no_method_of_ours_is_needed(clone: Run) -> None:
    none = dict.fromkeys(DEFAULT_METHODS, "null")
    printed = clone(
        *("-n", "--config", PEER.replace(": ", "=", 1)),
        *(f"methods={none}", "segmenter_methods=['peer']"),
    )
    assert "import_cams" in rules_in(printed)
    assert "activate_initial_cams" not in rules_in(printed)
