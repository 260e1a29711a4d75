import argparse
import errno
import os
import signal
import sys
from pathlib import Path

import pytest
import torch

from ssr.errors import InputError
from ssr.running.processes import map_in_processes
from ssr.running.programs import parser, put_own_python_first, run


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program finds when it starts, and nothing of it left behind."""
    monkeypatch.setattr(sys, "argv", ["program", "--threads", str(torch.get_num_threads())])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")


def exit_of(main) -> str:
    """What a program with this `main` says when it exits."""
    with pytest.raises(SystemExit) as exit_:
        run(main, parser(None))
    return str(exit_.value)


def test_jobs_run_the_python_of_this_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = Path(sys.executable).parent
    monkeypatch.setenv("PATH", "/nowhere")
    put_own_python_first()
    put_own_python_first()
    assert os.environ["PATH"] == f"{own}:/nowhere"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"no python beside .*: source \.venv/bin/activate"):
        put_own_python_first()


def wrong_input(_: argparse.Namespace) -> None:
    raise InputError("image a is missing")


def too_large_array(_: argparse.Namespace) -> None:
    bytearray(2**62)


def too_large_tensor(_: argparse.Namespace) -> None:
    torch.empty(2**60)


def killed_worker(_: argparse.Namespace) -> None:
    list(map_in_processes(kill_oneself, range(2), 2))


def kill_oneself(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def interrupted(_: argparse.Namespace) -> None:
    raise KeyboardInterrupt


def locked_file(_: argparse.Namespace) -> None:
    raise PermissionError(errno.EACCES, "Permission denied", "results/x/logs")


def broken_pipe_of_a_worker(_: argparse.Namespace) -> None:
    raise BrokenPipeError


def test_wrong_input_is_one_line() -> None:
    assert exit_of(wrong_input) == "error: image a is missing"


@pytest.mark.parametrize("main", [too_large_array, too_large_tensor, killed_worker])
def test_too_little_memory_says_what_to_do(main) -> None:
    assert exit_of(main).startswith("error: memory is used up; run fewer jobs at once")


def test_a_file_that_may_not_be_read_is_named() -> None:
    assert exit_of(locked_file) == "error: results/x/logs: Permission denied"


def test_ctrl_c_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of(interrupted) == "130"
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("text", ["a line", "many lines\n" * 10_000])
def test_printing_to_nobody_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    end, start = os.pipe()
    os.close(end)
    with os.fdopen(start, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert exit_of(lambda _: print(text)) == "141"
        pipe.flush()  # as Python does in the end
    assert capsys.readouterr().err == ""


def test_another_broken_pipe_is_an_error() -> None:
    with pytest.raises(BrokenPipeError):
        run(broken_pipe_of_a_worker, parser(None))


def test_other_errors_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda _: 1 / 0, parser(None))
