"""Who works on a results folder: claims, traces of killed runs, what the user is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ssr.errors import InputError
from ssr.running.claims import Run, Trace, check_folder, claim, explain, recovery, this_run, trace
from tests import ROOT

HOLD = """
import sys
from pathlib import Path
from ssr.running.claims import claim, this_run
claim(Path("results/x"), this_run())
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _in_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[str]]:
    """Another process that has claimed results/x."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, "--configfile", "my voc.yaml"],
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "claimed\n"
        yield process
        process.kill()


def lock_as_snakemake() -> None:
    Path(".snakemake/locks").mkdir(parents=True)
    Path(".snakemake/locks/0.output.lock").write_text("results/x/summary.json\n")


RESULTS = Path("results/x")


def test_a_second_run_is_refused_and_told_of_the_first(holder: subprocess.Popen[str]) -> None:
    me = this_run()
    first = rf"{me.user}@{me.host}, process {holder.pid}, since 20.*--configfile 'my voc.yaml'"
    with pytest.raises(InputError, match=f"another run is under way on results/x: {first}"):
        claim(RESULTS, me)
    lines = list(explain(RESULTS))
    assert f"process {holder.pid}" in lines[0]
    assert f"kill -INT {holder.pid}" in lines[1]


def test_a_killed_run_leaves_a_trace_but_holds_nothing(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    found = trace(RESULTS)
    assert found
    assert found.alive is False
    assert found.run.process == holder.pid
    claim(RESULTS, this_run())


def test_a_run_that_ends_in_an_orderly_way_leaves_no_trace(holder: subprocess.Popen[str]) -> None:
    holder.communicate("")
    assert trace(RESULTS) is None
    assert not list(explain(RESULTS))


def test_after_a_kill_the_commands_that_make_room_are_named(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert not list(explain(RESULTS)), "Snakemake holds no lock: the next run just starts"
    lock_as_snakemake()
    lines = list(explain(RESULTS))
    assert "was killed" in lines[0]
    assert lines[1] == "  snakemake --configfile 'my voc.yaml' --unlock"
    assert lines[2] == "  snakemake --configfile 'my voc.yaml' --rerun-incomplete"


def test_of_a_run_on_another_host_nothing_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    code = HOLD.replace(
        "this_run()", "this_run().__class__('me', 'login1', 1, 'noon', 'snakemake')"
    )
    subprocess.run(
        [sys.executable, "-c", code + "\nimport os; os._exit(9)"],
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    found = trace(RESULTS)
    assert found
    assert found.alive is None
    lock_as_snakemake()
    assert "cannot be seen from this host: me@login1, process 1" in next(explain(RESULTS))


def test_jobs_in_a_queue_are_cancelled_before_the_folder_is_unlocked() -> None:
    run = Run("me", "login1", 1, "noon", "snakemake --profile slurm", jobs="ssr_1234")
    assert recovery(run) == [
        "scancel --me --name=ssr_1234",
        "snakemake --profile slurm --unlock",
        "snakemake --profile slurm --rerun-incomplete",
    ]
    assert recovery(replace(run, jobs=None))[0] == "snakemake --profile slurm --unlock"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"user": 1}'])
def test_a_damaged_note_is_no_trace(content: str) -> None:
    (RESULTS / "logs").mkdir(parents=True)
    (RESULTS / "logs/run.json").write_text(content)
    assert trace(RESULTS) is None


def test_the_note_of_a_newer_version_is_read() -> None:
    run = this_run()
    (RESULTS / "logs").mkdir(parents=True)
    (RESULTS / "logs/run.json").write_text(json.dumps({**asdict(run), "cluster": "north"}))
    assert trace(RESULTS) == Trace(run, alive=False)


@pytest.mark.parametrize("taken", ["results", "results/x"])
def test_a_file_in_place_of_the_folder_is_named(taken: str) -> None:
    check_folder(RESULTS)
    Path(taken).parent.mkdir(exist_ok=True)
    Path(taken).write_text("a file\n")
    with pytest.raises(InputError, match=f"{taken}: results need a folder, came a file"):
        check_folder(RESULTS)


def test_a_folder_that_cannot_be_written_is_named() -> None:
    Path("results").write_text("a file\n")
    with pytest.raises(InputError, match=r"results/x: nothing can be written there .*Not a dir"):
        claim(RESULTS, this_run())
    with pytest.raises(InputError, match="/proc/x: nothing can be written there"):
        claim(Path("/proc/x"), this_run())
    assert trace(RESULTS) is None
