"""`ssr doctor` where the whole DAG has been run, and two runs at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from ssr.running.claims import trace
from tests.workflow.conftest import MINIATURE, in_folder

pytestmark = pytest.mark.slow

RESULTS = Path("results/mini")


def doctor(folder: Path, configfile: Path = MINIATURE) -> subprocess.CompletedProcess[str]:
    return ask("doctor", folder, configfile)


def ask(what: str, folder: Path, configfile: Path = MINIATURE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ssr.command", what, str(RESULTS)]
    return subprocess.run(
        [*command, "--configfile", str(configfile)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_finished_run_is_sound(folder: Path) -> None:
    done = doctor(folder)
    assert done.stdout.splitlines()[1:] == ["no findings"], done.stdout + done.stderr
    assert "to be made yet: 0" in done.stdout
    assert done.returncode == 0


def test_every_job_of_a_finished_run_is_done(mini_folder: Path) -> None:
    asked = ask("status", mini_folder)
    assert asked.returncode == 0, asked.stdout + asked.stderr
    _, *rows = (line.split() for line in asked.stdout.splitlines())
    counts = {row[0]: row[1] for row in rows}
    assert counts["refine_cams"] == "10/10"
    assert all(count.split("/")[0] == count.split("/")[1] for count in counts.values())


def test_all_that_can_be_wrong_is_found_and_the_commands_mend_it(folder: Path) -> None:
    results = folder / RESULTS
    store = results / "features/ssr/val_0000.zarr.zip"
    before = store.stat()
    content = bytearray(store.read_bytes())
    content[len(content) // 2] ^= 1
    store.write_bytes(content)
    os.utime(store, ns=(before.st_atime_ns, before.st_mtime_ns))
    shutil.copytree(results / "cams/refined/ssr", results / "cams/refined/removed")
    (results / "features/ssr/.val_0000.zarr.zip.node7.1.part").write_text("half")
    settings = yaml.safe_load(MINIATURE.read_text())
    changed = folder / "changed.yaml"
    changed.write_text(yaml.safe_dump(settings | {"crf": {"iterations": 1}}))

    done = doctor(folder, changed)
    assert done.returncode == 1
    printed = [line.strip() for line in done.stdout.splitlines()]
    damage = next(
        line for line in printed if line.startswith(str(RESULTS / "features/ssr/val_0000"))
    )
    assert "its SHA-256 is not that with which it was written" in damage
    assert "refine_predictions (1 file): iterations 10 → 1" in printed
    assert printed[-2] == "5 findings"
    assert printed[-1] == f"then: snakemake --cores all --configfile {changed.name}"

    for command in (line for line in printed if line.startswith("rm ")):
        subprocess.run(command.split(), cwd=folder, check=True)
    again = doctor(folder).stdout.splitlines()
    assert "to be made yet: 1" in again[0]
    assert not any("damaged" in line or "left over" in line for line in again)


def test_a_second_run_is_refused_and_told_whose_the_first_is(folder: Path) -> None:
    arguments = [str(RESULTS / "text/ssr/embeddings.npz"), "--forcerun", "encode_text"]
    arguments += ["--cores", "1", "--configfile", str(MINIATURE)]
    command = [sys.executable, "-m", "snakemake", *arguments]
    first = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while trace(folder / RESULTS) is None:
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGSTOP)  # it must not end meanwhile
    second = in_folder(folder)(*arguments, check=False)
    assert second.returncode
    assert f"process {first.pid}" in second.stderr
    assert "another run is under way on results/mini" in second.stderr
    # Even after someone removed Snakemake's locks under it.
    shutil.rmtree(folder / ".snakemake/locks")
    third = in_folder(folder)(*arguments, "--rerun-incomplete", check=False)
    first.kill()
    first.wait()
    assert third.returncode
    assert "error: another run is under way on results/mini" in third.stderr


def test_results_that_cannot_be_written_stop_a_run_before_its_first_job(
    folder: Path,
) -> None:
    shutil.rmtree(folder / RESULTS)
    (folder / RESULTS).write_text("a file where the folder should be\n")
    done = in_folder(folder)("--cores", "1", "--configfile", str(MINIATURE), check=False)
    assert done.returncode
    assert "error: results/mini: results need a folder, came a file" in done.stderr
    assert "rule " not in done.stdout + done.stderr
