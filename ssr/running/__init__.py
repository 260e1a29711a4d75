"""What every program shares while it runs.

In: a program's flags, a loop to watch, a training to keep, a results folder to hold.
Out: one line per error, progress, checkpoints from which a training ends with the same bits, work
done ahead, on all cores and several GPUs, hashes of code and results, where results lie, what the
machine has.
"""

__all__ = [
    "ahead",
    "checkpoints",
    "claims",
    "compiler",
    "contents",
    "digests",
    "distributed",
    "event_files",
    "garbage",
    "machine",
    "places",
    "processes",
    "programs",
    "progress",
    "provenance",
]
