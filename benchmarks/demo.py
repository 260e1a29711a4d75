"""The demo's workflow beside that of an earlier commit, in processor seconds of all its jobs.

`python -m benchmarks.demo COMMIT [--cores 1]` clones both into a temporary folder and runs them in
turn, the earlier one first, with the libraries that are installed; then come the rules. It takes
minutes, so it is no row of `benchmarks.bench`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench import ROOT, processor_seconds
from benchmarks.faults import clone, durations


def workflow(folder: Path, cores: int) -> None:
    """Run the demo in a clone, by its own code."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores)]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{folder.name} failed\n{done.stderr[-4000:]}")


def seconds_of_rules(folder: Path) -> Counter[str]:
    """How long the jobs of each rule took together, as Snakemake says."""
    found: Counter[str] = Counter()
    for benchmark, taken in durations(folder / "results/demo").items():
        found[benchmark.parent.name] += taken
    return found


def main() -> None:
    """Clone, run, print."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("commit")
    flags.add_argument("--cores", type=int, default=1)
    chosen = flags.parse_args()
    seconds, rules = [], []
    with TemporaryDirectory() as parent:
        for name in (chosen.commit, "HEAD"):
            folder = clone(ROOT, Path(parent, name))
            git = ["git", "-C", str(folder)]
            subprocess.run([*git, "checkout", "--quiet", "--detach", name], check=True)
            commit = subprocess.check_output([*git, "rev-parse", "--short", "HEAD"], text=True)
            seconds.append(processor_seconds(partial(workflow, folder, chosen.cores))[0])
            rules.append(seconds_of_rules(folder))
            print(f"{commit.strip()}: {seconds[-1]:.0f} processor seconds", flush=True)
    print(f"ratio {seconds[1] / seconds[0]:.2f}; seconds of the rules that both have:")
    for rule in sorted(rules[0].keys() & rules[1].keys(), key=rules[0].__getitem__):
        before, after = (own[rule] for own in rules)
        print(f"{rule:28s} {before:8.1f} {after:8.1f} {after / before:6.2f}")


if __name__ == "__main__":
    main()
