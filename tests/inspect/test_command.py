"""The command as a user starts it."""

import argparse
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from ssr.errors import InputError
from ssr.inspect.command import main
from ssr.results import Results


@pytest.fixture
def started(results: Results) -> Iterator[str]:
    """What the command prints."""
    command = [sys.executable, "-m", "ssr.command", "inspect", str(results.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield "".join(process.stdout.readline() for _ in range(3))
        process.terminate()


def test_it_prints_an_address_with_a_token_that_it_serves(started: str) -> None:
    found = re.search(r"http://127\.0\.0\.1:(\d+)/([\w-]{40,})/", started)
    assert found
    assert f"ssh -L {found[1]}:127.0.0.1:{found[1]} " in started
    with urllib.request.urlopen(found[0]) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(found[0].replace(found[2], "guess"))


def test_a_port_that_is_taken_is_named(results: Results) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "ssr.command", "inspect", str(results.folder)]
        ended = subprocess.run([*command, "--port", port], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"error: --port {port}: Address already in use; 0 takes one that is free\n"
    )


@pytest.mark.parametrize("port", [-1, 65536, 80000])
def test_a_port_that_there_cannot_be_is_refused_before_anything_is_opened(port: int) -> None:
    wrong = argparse.Namespace(results=[], port=port)
    with pytest.raises(InputError, match=f"--port is 1 to 65535, or 0 .*; came {port}"):
        main(wrong)


def test_ctrl_c_is_how_it_is_meant_to_end(results: Results) -> None:
    command = [sys.executable, "-m", "ssr.command", "inspect", str(results.folder)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout
        address = process.stdout.readline().split()[1]
        with urlopen(address) as page:  # answered once the loop runs
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        _, words = process.communicate()
    assert (process.returncode, words) == (0, "")
