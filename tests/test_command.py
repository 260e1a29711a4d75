"""The command `ssr` where it can't do what it is asked for: one line, soon."""

import argparse
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ssr import command
from ssr.version import __version__
from tests import ROOT

START = [
    *(sys.executable, "-c"),
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from ssr.command import main; main()",
]


def ssr(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*START, *arguments], cwd=folder, capture_output=True, text=True)


def test_it_tells_its_version(tmp_path: Path) -> None:
    assert ssr("--version", folder=tmp_path).stdout == f"ssr {__version__}\n"


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_what_asks_snakemake_says_at_once_that_there_is_no_workflow(
    tmp_path: Path, command: str
) -> None:
    (tmp_path / "results/demo").mkdir(parents=True)
    ended = ssr(command, folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"error: no Snakefile in {tmp_path}: run it in a clone of the repository, "
        "where snakemake runs\n"
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[argparse.Namespace]:
    """What the subcommands were asked for, instead of doing it."""
    found: list[argparse.Namespace] = []
    modules = ("doctor.diagnosis", "doctor.status")
    commands = ("compare", "export", "init", "inspect", "predict")
    for module in (*modules, *(f"{name}.command" for name in commands)):
        monkeypatch.setattr(f"ssr.{module}.main", lambda arguments: found.append(arguments) or 0)
    return found


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """The status or the words with which the command ends."""
    monkeypatch.setattr(sys, "argv", ["ssr", *arguments])
    with pytest.raises(SystemExit) as ended:
        command.main()
    return ended.value.code


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with results of a run; the current folder is beside it."""
    (tmp_path / "clone/results/x/logs").mkdir(parents=True)
    for file in ("clone/Snakefile", "clone/x.yaml", "y.yaml"):
        (tmp_path / file).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "clone"


@pytest.mark.parametrize("name", ["status", "doctor"])
def test_results_are_examined_where_snakemake_ran(
    name: str,
    clone: Path,
    asked: list[argparse.Namespace],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = ("--configfile", "clone/x.yaml", "--configfile", "y.yaml")
    assert call(monkeypatch, name, "clone/results/x", *files) == 0
    assert asked[0].results == Path("results/x")
    assert asked[0].configfile == ["x.yaml", "../y.yaml"]
    assert Path.cwd() == clone
    assert capsys.readouterr().out == f"in {clone}:\n"
    assert call(monkeypatch, name, "results/x", "--configfile", "x.yaml") == 0
    assert asked[1].results == Path("results/x")
    assert asked[1].configfile == ["x.yaml"]
    assert capsys.readouterr().out == ""


def test_results_are_looked_at_from_anywhere(
    clone: Path, asked: list[argparse.Namespace], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(monkeypatch, "inspect", "clone/results/x") == 0
    assert asked[0].results == [clone / "results/x"]
    assert call(monkeypatch, "compare", "clone/results/x", "clone/results/x") == 0
    assert asked[1].results == [clone / "results/x"] * 2


def test_init_is_introduced_everywhere_in_the_same_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(monkeypatch, "init", "--help")
    told = " ".join(capsys.readouterr().out.split())
    (holds,) = re.findall(r"images/ and labels.csv; .* FiftyOne", told)
    readme, page = (
        " ".join((ROOT / name).read_text().split()) for name in ("README.md", "docs/own_data.md")
    )
    for text in (readme, page):
        (does,) = re.findall(r"`ssr init` (writes labels.csv, .* that is there is changed)", text)
        assert does[1:] in told  # which begins with a capital
    assert holds in readme


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["init"], "error: ssr init FOLDER [--out FILE], or ssr init --check FILE"),
        (["init", "clone", "--check", "y.yaml"], "error: ssr init FOLDER [--out FILE], or ssr"),
        (["init", "--check", "y.yaml", "--out", "z.yaml"], "error: ssr init FOLDER [--out FILE]"),
        (["init", "nowhere"], "error: nowhere: no such folder"),
        (["init", "--check", "z.yaml"], "error: z.yaml: no such file"),
        (["import", "nowhere", "y.yaml"], "error: nowhere: no such file or folder"),
        (
            ["export", "clone/results/x", "--masks", "coco"],
            "error: ssr export RESULTS --masks TOOL",
        ),
        (["compare", "clone/results/x", "nowhere"], "error: nowhere: no such folder in "),
        (["inspect", "nowhere"], "error: nowhere: no such folder in "),
        (["status", "nowhere"], "error: nowhere: no such folder in "),
        (["doctor", "y.yaml"], "error: y.yaml: is a file; the folder of a run is results/"),
        (["status", "clone"], "error: clone: is not the folder of a run; there are clone/results"),
        (["status", "clone/results/x", "--configfile", "z.yaml"], "error: --configfile z.yaml: no"),
        (
            ["status", "--configfile", "y.yaml", "clone/results/x"],
            "error: --configfile clone/results/x: is a folder; name that of results before",
        ),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("clone", "asked")
def test_what_is_not_there_is_named_before_anything_is_run(
    monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], words: str
) -> None:
    ended = str(call(monkeypatch, *arguments))
    assert ended.startswith(words)
    assert "\n" not in ended


def test_the_slow_imports_wait_until_the_folder_is_found(tmp_path: Path) -> None:
    program = f"import atexit, sys; atexit.register(lambda: print(*sys.modules)); {START[2]}"
    command = [sys.executable, "-c", program, "status", "nowhere"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.stderr == f"error: nowhere: no such folder in {tmp_path}\n"
    slow = {"numpy", "torch", "snakemake", "uvicorn", "zarr", "pyarrow", "pydantic"}
    assert not slow & {*ended.stdout.split()}


def test_ctrl_c_while_a_subcommand_is_imported_is_one_line(clone: Path) -> None:
    """The import of a module that stands for a slow one interrupts the process."""
    (clone / "starlette.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    ended = subprocess.run(
        [*START, "inspect", "results/x"],
        cwd=clone,
        env=os.environ | {"PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 128 + signal.SIGINT
    assert ended.stderr == "interrupted\n"


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*START, "--help"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout
        started.stdout.close()
        _, words = started.communicate()
    assert words == ""
