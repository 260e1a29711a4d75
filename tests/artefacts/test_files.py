import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ssr.artefacts.files import replacing
from tests import ROOT


def test_the_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "out.txt"
    with replacing(target) as temporary:
        temporary.write_text("all of it")
        assert not target.exists()
    assert target.read_text() == "all of it"


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")

    def fail() -> None:
        with replacing(target) as temporary:
            temporary.write_text("ne")
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]
    assert target.read_text() == "old"


def test_jobs_of_two_nodes_do_not_write_one_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.txt"
    with replacing(target) as first:
        first.write_text("all of it")
        monkeypatch.setattr("platform.node", lambda: "another")
        with replacing(target) as second:
            second.write_text("all of it")
            assert first != second


def in_little_room(program: str, folder: Path, room: int) -> subprocess.CompletedProcess[str]:
    """`program`, run where no file may exceed `room` bytes."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "write",
    [
        "from ssr.artefacts.store import ShardWriter as Writer; content = {'x': np.zeros(9999)}",
        "from ssr.data.pngs import PngWriter as Writer; content = noise",
    ],
    ids=["store", "pngs"],
)
def test_a_full_disk_is_named_and_leaves_nothing_and_with_room_all_is_well(
    tmp_path: Path, write: str
) -> None:
    program = f"""
import sys
import numpy as np
from ssr.errors import InputError
noise = np.random.default_rng(0).integers(0, 99, (90, 90), np.uint8)
{write}
try:
    with Writer("shard.zip") as writer:
        for name in "abc":
            writer.add(name, content)
except InputError as error:
    sys.exit(f"error: {{error}}")
"""
    done = in_little_room(program, tmp_path, 8000)
    assert done.returncode == 1
    assert done.stderr == (
        "error: shard.zip: File too large; nothing of the file was kept: make room and run again\n"
    )
    assert list(tmp_path.iterdir()) == []
    assert in_little_room(program, tmp_path, 800_000).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["shard.zip"]


def test_a_checkpoint_that_has_no_room_is_named_too(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
import torch
from ssr.running.checkpoints import save
from ssr.errors import InputError
try:
    save(Path("work"), 3, {"weights": torch.ones(9999)})
except InputError as error:
    sys.exit(f"error: {error}")
"""
    failed = in_little_room(program, tmp_path, 20_000)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: work/iteration_00000003.pt: File too large;")
    assert not list((tmp_path / "work").iterdir())
    assert in_little_room(program, tmp_path, 1_000_000).returncode == 0
