"""Record what a command shows on a terminal: what stays of it, and how it looked on the way.

python -m benchmarks.recording docs/demo_terminal.txt make demo
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

COLUMNS, ROWS = 100, 40
# The looks on the way, as shares of the time that it took.
LOOKS = (0.25, 0.5, 0.75)
_COLOURS = re.compile(r"\033\[[\d;]*m")
_BACK = re.compile(r"\033\[(\d+)F\033\[J")


def main(target: Path, command: list[str]) -> None:
    """Run `command` on a terminal of its own and write the recording to `target`."""
    parts = list(output_of(command))
    took = parts[-1][0]
    looks = [
        f"--- after {took * share:.0f} s\n"
        + screen(part for at, part in parts if at <= took * share)
        for share in LOOKS
    ]
    target.write_text(
        "\n".join(
            [*looks, f"--- at the end, after {took:.0f} s\n" + screen(part for _, part in parts)]
        )
    )


def output_of(command: list[str]) -> Iterator[tuple[float, str]]:
    """What a command prints on a terminal, and the seconds since its start."""
    child, terminal = pty.fork()
    if not child:
        os.environ |= {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm"}
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    start = time.monotonic()
    while part := _read(terminal):
        yield time.monotonic() - start, part.decode(errors="replace")
    os.waitpid(child, 0)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the command has ended
        return b""


def screen(parts: Iterator[str]) -> str:
    """What stands there after all that was erased."""
    text = _COLOURS.sub("", "".join(parts)).replace("\r\n", "\n")
    lines: list[str] = [""]
    while matched := _BACK.search(text):
        lines = [*_added(lines, text[: matched.start()])[: -int(matched[1]) - 1], ""]
        text = text[matched.end() :]
    return "\n".join(_added(lines, text))


def _added(lines: list[str], text: str) -> list[str]:
    first, *rest = text.split("\n")
    return [*lines[:-1], lines[-1] + first, *rest]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
