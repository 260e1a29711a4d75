"""Work that threads do ahead of who needs it: images decoded while a GPU computes, and the like.

Threads share a processor's cores and Python's lock; decoding, hashing, copying and waiting for a
GPU let go of the lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import repeat, takewhile
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

# Results that wait for each thread, so that none idles while the caller is at work.
_WAITING = 2


def ahead(make: Callable[[Item], Made], items: Iterable[Item], threads: int) -> Iterator[Made]:
    """`make` of each item, in order, by as many threads; by the caller, when asked, without any.

    At most twice as many results as threads wait or are under way. An error is raised in its place.
    """
    if not threads:
        yield from map(make, items)
        return
    pool, waiting = ThreadPoolExecutor(threads), deque[Future[Made]]()
    try:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) > _WAITING * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def beside(items: Iterable[Item]) -> Iterator[Item]:
    """`items`, each made in a thread of their own while the caller works on the ones before."""
    end = object()
    source: Iterator[Item | object] = iter(items)
    made = ahead(lambda _: next(source, end), repeat(None), threads=1)
    return takewhile(lambda item: item is not end, made)  # type: ignore[arg-type]
