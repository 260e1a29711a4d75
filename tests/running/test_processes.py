import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ssr.errors import InputError
from ssr.running.processes import map_in_processes
from tests import ROOT


def add(first: int, second: int) -> int:
    return first + second


def process_and_threads(_: int) -> tuple[int, str | None]:
    return os.getpid(), os.environ.get("OMP_NUM_THREADS")


def fail_at_two(item: int) -> int:
    if item == 2:
        raise InputError("two is not allowed")
    return item


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    results = list(map_in_processes(partial(add, 10), range(5), processes))
    assert results == [10, 11, 12, 13, 14]


def test_other_processes_compute_with_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    results = list(map_in_processes(process_and_threads, range(4), 2))
    assert os.getpid() not in {process for process, _ in results}
    assert {threads for _, threads in results} == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_one_process_works_right_here() -> None:
    assert next(map_in_processes(process_and_threads, range(4), 1))[0] == os.getpid()


@pytest.mark.parametrize("processes", [1, 2])
def test_errors_reach_the_caller(processes: int) -> None:
    with pytest.raises(InputError, match="two is not allowed"):
        list(map_in_processes(fail_at_two, range(4), processes))


def test_no_items_give_no_results() -> None:
    assert list(map_in_processes(fail_at_two, [], 4)) == []


PARENT = """
from ssr.running.processes import map_in_processes
from tests.running.test_processes import note_and_wait
if __name__ == "__main__":
    list(map_in_processes(note_and_wait, range(2), 2))
"""


def note_and_wait(item: int) -> None:
    Path(str(item)).write_text(str(os.getpid()))
    time.sleep(1)


def alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, "parent.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    notes = [tmp_path / "0", tmp_path / "1"]
    wait_until(lambda: all(note.exists() and note.read_text() for note in notes))
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(alive(int(note.read_text())) for note in notes))
