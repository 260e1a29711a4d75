"""What every program in workflow_scripts shares: flags, threads, and how it fails."""

from __future__ import annotations

import argparse
import errno
import os
import select
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from ssr.errors import InputError
from ssr.running.garbage import search_seldom

_TOO_LITTLE_MEMORY = "memory is used up; run fewer jobs at once, or ask for more with mem_mb"
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
# Shells add it to the number of the signal that ended a program.
_STATUS_OF_A_SIGNAL = 128


def parser(description: str | None, *, device: bool = False) -> argparse.ArgumentParser:
    """A parser with the flags that all programs have: `--threads`, and `--device` if asked."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--threads", type=int, default=1, help="processor cores to use")
    if device:
        result.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    return result


def run(main: Callable[[argparse.Namespace], None], arguments: argparse.ArgumentParser) -> None:
    """Parse the command line and call `main`, with `plain_endings`."""
    search_seldom()
    parsed = arguments.parse_args()
    # Libraries read these when they are first imported, so main() imports the heavy ones.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, str(parsed.threads))
    wait_passively()
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(parsed.threads)
    with plain_endings():
        main(parsed)


def wait_passively() -> None:
    """Let threads sleep while they wait, where torch is not imported yet.

    On a shared machine, those that wait by spinning keep the ones they wait for from running.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def plain_endings() -> Iterator[None]:
    """End a program in one line and with an exit status, where it ends early.

    With 1 on an InputError, on a file that may not be read or written, or where memory is used up;
    with 130 on Ctrl-C; with 141 and no word where nobody reads any more what is printed, as behind
    `head`. Other errors keep their traceback.
    """
    try:
        yield
        sys.stdout.flush()
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(_STATUS_OF_A_SIGNAL + signal.SIGINT)
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        # At the end, Python would try again to print what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_STATUS_OF_A_SIGNAL + signal.SIGPIPE)
    except OSError as error:
        if error.filename is None or error.errno not in _REFUSED:
            raise
        sys.exit(f"error: {error.filename}: {error.strerror}")
    except Exception as error:
        if _memory_is_used_up(error):
            sys.exit(f"error: {_TOO_LITTLE_MEMORY} ({error or type(error).__name__})")
        raise


def _nobody_reads() -> bool:
    """Whether the broken pipe is that of stdout, and not one between processes of the program."""
    errors = select.poll()
    errors.register(sys.stdout.fileno(), 0)
    return bool(errors.poll(0))


def _memory_is_used_up(error: Exception) -> bool:
    # torch's errors are told by their text; a worker that vanished was killed for its memory.
    told = any(sign in str(error) for sign in ("can't allocate memory", "out of memory"))
    return told or isinstance(error, MemoryError | BrokenProcessPool)


def put_own_python_first() -> None:
    """Let `python` be the one that runs here, also where its environment is not active.

    Raises:
        InputError: nothing is called `python`.
    """
    folder = str(Path(sys.executable).parent)
    if os.environ.get("PATH", "").split(os.pathsep)[0] != folder:
        os.environ["PATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PATH")]))
    if not shutil.which("python"):
        raise InputError(
            f"there is no python beside {sys.executable}, nor on PATH; activate the environment "
            "in which this is installed: source .venv/bin/activate"
        )


def existing(path: str) -> Path:
    """An argparse type: a path that must exist."""
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"{path} does not exist")
    return Path(path)
