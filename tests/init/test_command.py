"""`ssr init`: from a folder to the next command, and nothing that is there is changed."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
import yaml

from ssr.errors import InputError
from ssr.init import command
from ssr.running.machine import Machine
from tests.init.conftest import SERVER, boats, labelled, mask, photographs

Capture = pytest.CaptureFixture[str]
NEXT = "next:\n  snakemake --cores 1 --configfile config/photographs.yaml harbour.yaml\n"


def init(folder: Path | None = None, out: str | None = None, check: str | None = None) -> int:
    return command.main(
        Namespace(folder=folder, out=out and Path(out), check=check and Path(check))
    )


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_becomes_a_file_and_the_command_that_runs_it(
    folder: Path, capsys: Capture
) -> None:
    before = files(boats(folder, 24))
    assert init(folder) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(
        "harbour: images/ and labels.csv\n"
        "written: harbour.yaml\n"
        "24 images, 0 without a label; images of each class:\n"
        "  boat      24\n"
        "  gull      12\n"
        "all images can be read: train 24; 0 masks; shards of 24\n"
        "about "
    )
    assert printed.out.endswith(NEXT)
    assert files(folder) == before
    assert yaml.safe_load(Path("harbour.yaml").read_text())["dataset"] == "harbour"
    first = Path("harbour.yaml").read_text().splitlines()[:3]
    assert first[1:] == [
        "#   ssr init --check harbour.yaml",
        f"#   {NEXT.split(maxsplit=1)[1]}"[:-1],
    ]


def test_a_file_that_is_there_is_refused_before_anything_is_written(folder: Path) -> None:
    photographs(folder, ["cat/1.jpg", "dog/2.jpg"])
    Path("harbour.yaml").write_text("mine")
    before = files(Path())
    with pytest.raises(InputError, match=r"^harbour.yaml: is there already; ssr init --check har"):
        init(folder)
    assert files(Path()) == before
    Path("link.yaml").symlink_to("nowhere.yaml")
    with pytest.raises(InputError, match=r"^link.yaml: is there already"):
        init(folder, out="link.yaml")
    assert init(folder, out="other.yaml") == 0


def test_what_must_be_mended_is_named_and_the_file_is_there_to_edit(
    folder: Path, capsys: Capture
) -> None:
    boats(folder)
    (folder / "images/03.jpg").write_text("no image")
    assert init(folder) == 1
    printed = capsys.readouterr()
    assert "  1 × unreadable image: harbour/images/03.jpg" in printed.err
    assert printed.out.endswith("mend this, then:\n  ssr init --check harbour.yaml\n")
    photographs(folder, ["images/03.jpg"])
    assert init(check="harbour.yaml") == 0
    assert capsys.readouterr().out.endswith(NEXT)


def test_a_check_writes_nothing(folder: Path) -> None:
    init(boats(folder))
    before = files(Path())
    Path("harbour.yaml").write_text("labels: {threshold: 2}")
    assert init(check="harbour.yaml") == 1
    Path("harbour.yaml").write_bytes(before["harbour.yaml"])
    assert files(Path()) == before


def test_folders_of_classes_become_a_data_set_that_can_be_read(
    folder: Path, capsys: Capture
) -> None:
    photographs(folder, [f"{name}/{n}.jpg" for name in ("red_kite", "möwe") for n in range(10)])
    assert init(folder) == 0
    assert capsys.readouterr().out.startswith(
        "harbour: folders named after classes\n"
        "written: harbour/labels.csv (20 images)\n"
        "written: harbour/images/ (20 links)\n"
        "written: harbour.yaml\n"
        "20 images, 0 without a label; images of each class:\n"
        "  möwe          10\n"
        "  red_kite      10\n"
    )


def test_masks_are_counted_and_say_which_split_they_serve(folder: Path, capsys: Capture) -> None:
    boats(folder)
    for number in range(6):
        mask(folder / f"masks/{number:02}.png", *((0, 1, 2) if number % 2 else (0, 1)))
    assert init(folder) == 0
    printed = capsys.readouterr()
    assert "all images can be read: train 6, tune 3, val 3; 6 masks; shards of 16\n" in printed.out
    assert "is that the order of the indices in the masks?" in printed.err


def test_with_a_gpu_its_jobs_take_turns(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Machine, "here", lambda: SERVER)
    assert init(boats(folder)) == 0
    assert "next:\n  snakemake --cores 16 --resources gpu=1 --configfile" in capsys.readouterr().out


def test_results_of_that_name_are_warned_of(folder: Path, capsys: Capture) -> None:
    Path("results/harbour").mkdir(parents=True)
    init(boats(folder))
    assert "warning: results/harbour is there already;" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "dataset"), [("Möwen 2024!", "Mowen_2024"), ("猫", "photographs")]
)
def test_a_run_has_a_plain_name(clone: Path, name: str, dataset: str) -> None:
    (clone / name).mkdir()
    assert init(labelled(Path(name), ["a.jpg,boat", "ö b.jpg,boat"])) == 0
    assert yaml.safe_load(Path(f"{dataset}.yaml").read_text())["dataset"] == dataset


def test_it_is_run_in_a_clone(folder: Path) -> None:
    Path("Snakefile").unlink()
    with pytest.raises(InputError, match=r"^no Snakefile in "):
        init(folder)
