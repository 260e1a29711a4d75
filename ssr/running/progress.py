"""How far a loop has come: a line that renews itself on a terminal, in a log one a minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, TypeVar

Item = TypeVar("Item")

_TERMINAL_SECONDS = 0.2
_LOG_SECONDS = 60.0


def progress(
    items: Iterable[Item],
    total: int,
    label: str,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Item]:
    """Yield `items` unchanged and report count, rate and remaining time on `stream` (stderr).

    Args:
        items: what to loop over.
        total: how many items will come.
        label: what the loop does, printed in front.
        stream: where to report.
        clock: seconds that only grow.
    """
    stream = stream or sys.stderr
    live = stream.isatty()
    pause = _TERMINAL_SECONDS if live else _LOG_SECONDS
    start = last = clock()
    done = 0
    for done, item in enumerate(items, start=1):
        yield item
        now = clock()
        if now - last >= pause and done < total:
            last = now
            _print(stream, live, _under_way(label, done, total, now - start))
    seconds = clock() - start
    _print(stream, live, f"{label}: {done} in {duration(seconds)} ({rate(done, seconds)})")
    if live:
        print(file=stream)


def _under_way(label: str, done: int, total: int, seconds: float) -> str:
    remaining = seconds / done * (total - done)
    return f"{label}: {done}/{total} ({rate(done, seconds)}, {duration(remaining)} left)"


def _print(stream: TextIO, live: bool, line: str) -> None:
    # "\033[K" clears what a longer line left behind.
    print(f"\r{line}\033[K" if live else line, end="" if live else "\n", file=stream, flush=True)


def rate(done: int, seconds: float) -> str:
    """How fast something went, for people."""
    each = max(seconds, 1e-9) / max(done, 1)
    return f"{done / max(seconds, 1e-9):.1f}/s" if each <= 1 or not done else f"{each:.1f} s each"


def duration(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
