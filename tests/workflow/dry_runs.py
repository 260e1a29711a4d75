"""Dry-runs as forks of one process that has imported Snakemake and the library before.

They print what `snakemake -n` prints in a process of its own, without the greater part of its time,
which goes into imports and into hashes of the code.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests import ROOT


def dry_run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """What `snakemake ARGUMENTS` prints in `folder`, a clone whose code is the repository's."""
    assert (folder / "ssr").resolve() == (ROOT / "ssr").resolve()
    server = _server()
    with tempfile.TemporaryDirectory() as printed:
        server.stdin.write(json.dumps([arguments, str(folder), printed, dict(os.environ)]) + "\n")
        server.stdin.flush()
        status = server.stdout.readline()
        assert status, "the process that forks dry-runs is no more"
        out, err = (Path(printed, name).read_text() for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(["snakemake", *arguments], int(status), out, err)


@cache
def _server() -> subprocess.Popen[str]:
    """It ends when this process does, and with it the pipe that it reads from."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _serve() -> None:
    """Fork for each request; the child leaves the loop and becomes Snakemake."""
    import pyarrow.parquet  # noqa: F401
    import smart_open  # noqa: F401
    from snakemake.cli import get_argument_parser, main

    import ssr.config.settings
    import ssr.data.splits
    import ssr.running.claims  # noqa: F401
    from ssr.running.provenance import code_hash

    get_argument_parser()  # finds the plugins
    for program in (ROOT / "workflow_scripts").glob("[!_]*.py"):
        code_hash(f"workflow_scripts.{program.stem}")
    # The end of a child would search all that was imported for garbage: most of its time.
    gc.freeze()
    for request in sys.stdin:
        arguments, folder, printed, environment = json.loads(request)
        child = os.fork()
        if not child:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.path[0] = folder
            for number, name in ((0, os.devnull), (1, "stdout"), (2, "stderr")):
                os.dup2(os.open(Path(printed, name), os.O_RDWR | os.O_CREAT), number)
            sys.argv = ["snakemake", *arguments]
            sys.exit(main(arguments))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
