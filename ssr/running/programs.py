"""What every program in workflow_scripts shares: flags, threads, and how it fails."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from ssr.errors import InputError

_TOO_LITTLE_MEMORY = "memory is used up; run fewer jobs at once, or ask for more with mem_mb"


def parser(description: str | None, *, device: bool = False) -> argparse.ArgumentParser:
    """A parser with the flags that all programs have: `--threads`, and `--device` if asked."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--threads", type=int, default=1, help="processor cores to use")
    if device:
        result.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    return result


def run(main: Callable[[argparse.Namespace], None], arguments: argparse.ArgumentParser) -> None:
    """Parse the command line and call `main`.

    An InputError, that memory is used up, or Ctrl-C becomes one line and exit status 1.
    """
    parsed = arguments.parse_args()
    # Libraries read these when they are first imported, so main() imports the heavy ones.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, str(parsed.threads))
    # On a shared machine, threads that wait by spinning keep the ones they wait for from running.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(parsed.threads)
    try:
        main(parsed)
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted")
    except Exception as error:
        if _memory_is_used_up(error):
            sys.exit(f"error: {_TOO_LITTLE_MEMORY} ({error or type(error).__name__})")
        raise


def _memory_is_used_up(error: Exception) -> bool:
    # torch's errors are told by their text; a worker that vanished was killed for its memory.
    told = any(sign in str(error) for sign in ("can't allocate memory", "out of memory"))
    return told or isinstance(error, MemoryError | BrokenProcessPool)


def existing(path: str) -> Path:
    """An argparse type: a path that must exist."""
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"{path} does not exist")
    return Path(path)
