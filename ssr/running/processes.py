"""Work on many items with all cores, results in the order of the items."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], processes: int, chunk: int = 1
) -> Iterator[Result]:
    """Yield `function(item)` for each item, in order.

    Args:
        function: can be pickled, as its arguments and results; with one process it runs here.
        items: what to work on.
        processes: how many items are worked on at the same time.
        chunk: items handed over at once; more than one pays where an item takes milliseconds.

    Raises:
        Exception: whatever `function` raised first.
    """
    processes = min(processes, len(items))
    if processes <= 1:
        yield from map(function, items)
        return
    # Spawned, not forked: a fork would inherit the locks of this process's threads.
    context = get_context("spawn")
    with _one_thread_each(), ProcessPoolExecutor(processes, context, _end_with_parent) as pool:
        yield from pool.map(function, items, chunksize=chunk)


def _end_with_parent() -> None:
    """Make this process end when its parent is killed: it would wait for work for ever."""

    def watch() -> None:
        if parent := parent_process():
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let the processes started meanwhile compute with one thread: the cores are theirs already."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
