"""Work ahead: the same results in the same order, and never much more than is asked for."""

import threading
from collections.abc import Iterator

import pytest

from ssr.running.ahead import ahead, beside


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    assert list(ahead(lambda item: item * 2, range(20), threads)) == list(range(0, 40, 2))


def test_without_threads_the_caller_works_when_asked() -> None:
    made: list[threading.Thread] = []
    results = ahead(lambda _: made.append(threading.current_thread()), range(3), threads=0)
    assert made == []
    next(results)
    assert made == [threading.current_thread()]


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_is_begun_than_twice_as_many_as_threads(threads: int) -> None:
    begun: list[int] = []
    results = ahead(begun.append, range(100), threads)
    for _ in range(5):
        next(results)
    results.close()  # type: ignore[attr-defined]
    assert 5 <= len(begun) <= 5 + 2 * threads


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_comes_in_its_place(threads: int) -> None:
    results = ahead(lambda item: 1 // item, [1, 1, 0, 1], threads)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_what_is_made_beside_is_made_in_one_thread_of_its_own() -> None:
    makers = set()

    def items() -> Iterator[int]:
        for number in range(10):
            makers.add(threading.current_thread())
            yield number

    assert list(beside(items())) == list(range(10))
    assert len(makers) == 1
    assert makers != {threading.current_thread()}


def test_an_error_beside_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    results = beside(items())
    assert next(results) == 1
    with pytest.raises(ValueError, match="broken"):
        next(results)
