"""The command `ssr inspect`: serve the page until it is interrupted."""

from __future__ import annotations

import argparse
import gc
import os
import secrets
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ssr.errors import InputError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
_LAST_PORT = 2**16 - 1


def main(arguments: argparse.Namespace) -> int:
    """Print the address and serve it; 0 when interrupted, as it is meant to be.

    Raises:
        InputError: the results can't be opened, or the port can't be had.
    """
    listening = _listen(arguments.port)

    from ssr.inspect.server import application
    from ssr.results import open_results

    token = secrets.token_urlsafe()
    app = application([open_results(folder) for folder in arguments.results], token)
    with suppress(KeyboardInterrupt):
        _serve(app, token, listening, arguments.open)
    return 0


def _serve(app: ASGIApp, token: str, listening: socket.socket, open_: bool) -> None:
    """Print the address of the page, and serve it until Ctrl-C."""
    import uvicorn

    # The event loop does so for the sockets it opens itself; without it, answers wait 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listening.getsockname()[1]
    address = f"http://{HOST}:{port}/{token}/"
    print(f"open      {address}")
    print(f"from afar ssh -L {port}:{HOST}:{port} {socket.gethostname()}, then the same address")
    print("stop      Ctrl-C; who has the address can see these results", flush=True)
    threading.Thread(target=_import_the_slow, daemon=True).start()
    # The log of requests would print the token, the log of errors stays.
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    with opened(address) if open_ else nullcontext():
        uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def opened(address: str) -> Iterator[None]:
    """Have the browser open an address, which others would see among the arguments of its process.

    So it is given a file that only its owner can read, and that leads to the address.
    """
    with tempfile.NamedTemporaryFile("w", prefix="ssr_inspect_", suffix=".html") as file:
        file.write(f'<meta http-equiv="refresh" content="0; url={address}">')
        file.flush()
        threading.Thread(target=ask_browser, args=(Path(file.name).as_uri(),), daemon=True).start()
        yield


def ask_browser(address: str) -> None:
    """Open an address in a browser, if there is any."""
    if not webbrowser.open(address):
        print("warning: --open found no browser; open the address above", file=sys.stderr)


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise InputError(f"--port is 1 to {_LAST_PORT}, or 0 for one that is free; came {port}")
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise InputError(
            f"--port {port}: {os.strerror(error.errno or 0)}; 0 takes one that is free"
        ) from None


def _import_the_slow() -> None:
    """What the first masks, affinities and colours would wait for, while the page is opened."""
    import ssr.report.figures  # noqa: F401

    # A collection that goes through these modules would hold up a picture for a fifth of a second.
    gc.freeze()
