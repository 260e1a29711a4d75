"""Curves of a training for TensorBoard, beside its checkpoints."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "events.out.tfevents."
_VERSION = "brain.Event:2"

Row = Mapping[str, float]
"""The iteration comes first; the other values are points of curves."""


@contextmanager
def event_file(folder: Path, rows: Iterable[Row]) -> Iterator[Callable[[Row], None]]:
    """Yield what adds a row to the curves in `folder`, which begin with `rows`.

    A resumed training hands in the rows that it has kept: TensorBoard would show what lies behind
    its checkpoint twice, so that earlier event files are replaced.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    for old in event_files(folder):
        old.unlink()
    # Not with torch's SummaryWriter, which has a thread of its own: the processes of a loader are
    # forked, and beside threads that isn't safe.
    with (folder / f"{_PREFIX}{time.time_ns()}.{os.getpid()}").open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=time.time(), file_version=_VERSION).SerializeToString())

        def add(row: Row) -> None:
            (_, iteration), *points = row.items()
            values = [Summary.Value(tag=name, simple_value=value) for name, value in points]
            event = Event(wall_time=time.time(), step=int(iteration), summary=Summary(value=values))
            writer.write(event.SerializeToString())
            file.flush()

        for row in rows:
            add(row)
        yield add


def event_files(folder: Path) -> list[Path]:
    """The event files in `folder`."""
    return [path for path in folder.iterdir() if is_event_file(path)]


def is_event_file(path: Path) -> bool:
    """Whether TensorBoard, not a reader of results, is meant to open `path`."""
    return path.name.startswith(_PREFIX)
