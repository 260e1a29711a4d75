"""The command `ssr inspect`: serve the page until it is interrupted."""

from __future__ import annotations

import argparse
import gc
import secrets
import socket
import threading
from pathlib import Path

HOST = "127.0.0.1"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The command line of `ssr inspect`."""
    parser.add_argument("results", nargs="?", type=Path, default=Path("results/demo"))
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")


def main(arguments: argparse.Namespace) -> int:
    """Print the address and serve it; 0 when interrupted."""
    import uvicorn

    from ssr.errors import InputError
    from ssr.inspect.server import application
    from ssr.results import open_results

    token = secrets.token_urlsafe()
    app = application(open_results(arguments.results), token)
    try:
        listening = socket.create_server((HOST, arguments.port))
    except OSError as error:
        raise InputError(f"--port {arguments.port}: {error.strerror}") from None
    # The event loop does so for the sockets it opens itself; without it, answers wait 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listening.getsockname()[1]
    print(f"open      http://{HOST}:{port}/{token}/")
    print(f"from afar ssh -L {port}:{HOST}:{port} {socket.gethostname()}, then the same address")
    print("stop      Ctrl-C; who has the address can see these results", flush=True)
    threading.Thread(target=_import_the_slow, daemon=True).start()
    # The log of requests would print the token, the log of errors stays.
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listening])
    return 0


def _import_the_slow() -> None:
    """What the first masks, affinities and colours would wait for, while the page is opened."""
    import ssr.report.figures  # noqa: F401

    # A collection that goes through these modules would hold up a picture for a fifth of a second.
    gc.freeze()
