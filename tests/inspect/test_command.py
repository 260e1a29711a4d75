"""The command as a user starts it."""

import argparse
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from urllib.parse import urlparse
from urllib.request import urlopen

import pytest

from ssr.errors import InputError
from ssr.inspect.command import ask_browser, main, opened
from ssr.results import Results


@pytest.fixture
def process(results: Results) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "ssr.command", "inspect", str(results.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.terminate()


@pytest.fixture
def started(process: subprocess.Popen[str]) -> str:
    """What the command prints."""
    assert process.stdout
    return "".join(process.stdout.readline() for _ in range(3))


def test_it_prints_an_address_with_a_token_that_it_serves(started: str) -> None:
    found = re.search(r"http://127\.0\.0\.1:(\d+)/([\w-]{40,})/", started)
    assert found
    assert f"ssh -L {found[1]}:127.0.0.1:{found[1]} " in started
    with urllib.request.urlopen(found[0]) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(found[0].replace(found[2], "guess"))


def test_a_browser_is_given_a_file_for_its_owner_that_leads_to_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: Queue[tuple[str, int, str]] = Queue()

    def open_file(address: str) -> bool:
        file = Path(urlparse(address).path)
        given.put((file.read_text(), stat.S_IMODE(file.stat().st_mode), str(file)))
        return True

    monkeypatch.setattr(webbrowser, "open", open_file)
    with opened("http://127.0.0.1:1/token/"):
        page, mode, file = given.get(timeout=10)
    assert 'content="0; url=http://127.0.0.1:1/token/"' in page
    assert mode == 0o600
    assert not Path(file).exists()


def test_without_a_browser_the_address_is_still_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    ask_browser("file:///x.html")
    assert capsys.readouterr().err == ("warning: --open found no browser; open the address above\n")


def test_torch_is_not_imported_before_it_is_needed(
    process: subprocess.Popen[str], started: str
) -> None:
    (address,) = re.findall(r"http://\S+", started)
    urlopen(f"{address}describe.json").close()  # waits for all that is imported at the start
    assert "libtorch" not in Path(f"/proc/{process.pid}/maps").read_text()


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
