"""Kill the workflow at random moments, restart it, and compare with an undisturbed run.

    python -m benchmarks.faults FOLDER [--kills 20] [--seed 0] [--cores 2] [--configfile FILE]

FOLDER takes two clones of the last commit: `undisturbed`, which is used again if it is there, and
`killed`. Prints a table of the kills, and the results that differ (see docs/reliability.md).
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ssr.running.digests import digests

REPOSITORY = Path(__file__).parent.parent
# What is done to a run: the signal, and who gets it.
KINDS = {
    "SIGKILL to Snakemake": (signal.SIGKILL, "snakemake"),
    "SIGKILL to all": (signal.SIGKILL, "all"),
    "SIGKILL to a job": (signal.SIGKILL, "job"),
    "SIGTERM to a job": (signal.SIGTERM, "job"),
    "Ctrl-C": (signal.SIGINT, "all"),
}
PAUSE = 0.2


@dataclass(frozen=True)
class Kill:
    """A fault, and what was found behind it."""

    kind: str
    done: float
    """Share of the work that the undisturbed run did."""
    running: list[str]
    outlived: int
    """Processes that went on without Snakemake."""
    locked: bool
    """Whether the next run needed `--unlock`."""

    def __str__(self) -> str:
        running = ", ".join(self.running) or "none"
        locked = "yes" if self.locked else "no"
        return f"| {self.done:.0%} | {self.kind} | {running} | {self.outlived} | {locked} |"


class Run:
    """Snakemake in a folder, in a session of its own, by which its processes are known."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        with (folder / "printed.log").open("a") as log:
            self.snakemake = subprocess.Popen(
                [sys.executable, "-m", "snakemake", *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def processes(self) -> dict[psutil.Process, list[str]]:
        """Those of this run that live, with their command lines."""
        found = {}
        for number in psutil.pids():
            try:
                if os.getsid(number) == self.snakemake.pid:
                    process = psutil.Process(number)
                    found[process] = process.cmdline()
            except (ProcessLookupError, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return {process: command for process, command in found.items() if command}

    def jobs(self) -> dict[psutil.Process, str]:
        """The programs that run, with their outputs."""
        named = {process: job_name(command) for process, command in self.processes().items()}
        return {process: name for process, name in named.items() if name}

    def disturb(self, kind: str) -> None:
        """Send the signal of `kind`; returns when Snakemake has ended."""
        number, target = KINDS[kind]
        if target == "job":
            self._signal_job(number)
        elif target == "snakemake":
            self.snakemake.send_signal(number)
        else:
            os.killpg(self.snakemake.pid, number)
        self.snakemake.wait()

    def _signal_job(self, number: int) -> None:
        """One of the programs that run, or of the next ones where none does at the moment."""
        while self.snakemake.poll() is None:
            with suppress(IndexError, psutil.NoSuchProcess):
                random.choice(list(self.jobs())).send_signal(number)
                return
            time.sleep(PAUSE)
        raise SystemExit("the run ended before a job of it was disturbed")


def job_name(command: list[str]) -> str | None:
    """What a process does, if it is a program of the workflow."""
    if command[1:2] != ["-m"] or not command[2].startswith("workflow_scripts."):
        return None
    name = command[2].removeprefix("workflow_scripts.")
    if "--output" not in command:
        return name
    output = Path(command[command.index("--output") + 1])
    return f"{name} → {'/'.join(output.parts[2:])}"


def durations(results: Path) -> dict[Path, float]:
    """Benchmark file, relative to `results`, of every job that ended → its seconds."""
    tables = {path: path.read_text().splitlines() for path in results.glob("benchmarks/*/*.tsv")}
    return {
        path.relative_to(results): float(row["s"])
        for path, lines in tables.items()
        for row in csv.DictReader(lines, delimiter="\t")
    }


def killed_run(
    folder: Path, undisturbed: Path, arguments: list[str], kills: int, seed: int
) -> Iterator[Kill]:
    """Run the workflow in `folder` to its end, killed at moments uniform over its work.

    Args:
        folder: a fresh clone.
        undisturbed: the results of a run in another clone.
        arguments: of Snakemake.
        kills: how often; the kinds take turns.
        seed: of the moments and the order of the kinds.

    Raises:
        SystemExit: a run that was restarted failed by itself.
    """
    expected = durations(undisturbed)
    results = folder / "results" / undisturbed.name
    arguments = [*arguments, "--rerun-incomplete"]

    def done(run: Run) -> float:
        ended = sum(expected[path] for path in durations(results))
        now = time.time()
        running = sum(now - process.create_time() for process in run.jobs())
        return (ended + running) / sum(expected.values())

    chosen = random.Random(seed)
    kinds = [list(KINDS)[number % len(KINDS)] for number in range(kills)]
    chosen.shuffle(kinds)
    for moment, kind in zip(sorted(chosen.random() for _ in kinds), kinds, strict=True):
        yield _kill(folder, Run(folder, *arguments), kind, moment, done)
    if Run(folder, *arguments).snakemake.wait():
        raise SystemExit(f"the last run failed: {folder}/printed.log")


def _kill(folder: Path, run: Run, kind: str, moment: float, done: Callable[[Run], float]) -> Kill:
    """Kill a run when the share `moment` of the work is done, and unlock the folder if need be."""
    while done(run) < moment or (KINDS[kind][1] == "job" and not run.jobs()):
        if run.snakemake.poll() is not None:
            raise SystemExit(f"the run ended before it was disturbed: {folder}/printed.log")
        time.sleep(PAUSE)
    share, running = done(run), sorted(run.jobs().values())
    run.disturb(kind)
    time.sleep(PAUSE)
    outlived = len(run.processes())
    locked = any(folder.glob(".snakemake/locks/*"))
    if locked:
        unlock = Run(folder, "--unlock").snakemake
        if unlock.wait():
            raise SystemExit(f"--unlock failed: {folder}/printed.log")
    return Kill(kind, share, running, outlived, locked)


def differences(first: Path, second: Path) -> list[str]:
    """Results that only one of two runs has, or whose bytes differ."""
    one, other = digests(first), digests(second)
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def clone(repository: Path, folder: Path) -> Path:
    """A clone of the last commit in `folder`."""
    subprocess.run(["git", "clone", "--quiet", str(repository), str(folder)], check=True)
    return folder


def main() -> None:
    """Run, kill, compare."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("folder", type=Path)
    flags.add_argument("--kills", type=int, default=20)
    flags.add_argument("--seed", type=int, default=0)
    flags.add_argument("--cores", type=int, default=2)
    flags.add_argument("--configfile", type=Path)
    parsed = flags.parse_args()
    # In the background of a shell, Ctrl-C would be ignored by all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = ["--cores", str(parsed.cores)]
    if parsed.configfile:
        arguments += ["--configfile", str(parsed.configfile.absolute())]
    first, second = parsed.folder / "undisturbed", parsed.folder / "killed"
    if not first.exists():
        start = time.monotonic()
        Run(clone(REPOSITORY, first), *arguments).snakemake.wait()
        print(f"undisturbed: {(time.monotonic() - start) / 60:.1f} min\n", flush=True)
    (results,) = (first / "results").iterdir()
    start = time.monotonic()
    print("| done | what was done | running | processes left | locked |\n|---|---|---|---|---|")
    for kill in killed_run(clone(first, second), results, arguments, parsed.kills, parsed.seed):
        print(kill, flush=True)
    print(f"\nwith {parsed.kills} kills: {(time.monotonic() - start) / 60:.1f} min")
    differing = differences(results, second / "results" / results.name)
    print(
        f"{len(digests(results))} results compared, {len(differing)} differ", *differing, sep="\n"
    )


if __name__ == "__main__":
    main()
