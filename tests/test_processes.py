import os
from functools import partial

import pytest

from ssr.errors import InputError
from ssr.processes import map_in_processes


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
