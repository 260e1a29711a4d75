"""A real SLURM on this machine, all its state in one folder: two nodes, one with pretended GPUs.

    python -m tests.slurm.cluster start FOLDER    then: . FOLDER/env
    python -m tests.slurm.cluster stop FOLDER

It needs slurmctld, slurmd and munged, but no root, no cgroups and no accounts.
"""

from __future__ import annotations

import argparse
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

NODES = ("n1", "n2")
DEVICES = ("/dev/null", "/dev/zero")
CORES, MEGABYTES = 8, 16000
PARTITIONS = (
    "PartitionName=main Nodes=ALL Default=YES PriorityTier=1",
    "PartitionName=urgent Nodes=ALL PriorityTier=2",
)
PROGRAMS = ("slurmctld", "slurmd", "munged")
CLIENTS = ("srun", "sbatch", "squeue", "scancel", "sinfo", "scontrol")
ACTIVE = "PENDING,RUNNING,COMPLETING,CONFIGURING,SUSPENDED"
SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def missing() -> list[str]:
    """Those of the programs that are not installed."""
    return [name for name in (*PROGRAMS, *CLIENTS) if shutil.which(name, path=SEARCHED) is None]


def environment(folder: Path) -> dict[str, str]:
    """The variables with which SLURM's commands reach this cluster."""
    path = os.pathsep.join([str(folder / "bin"), SEARCHED])
    return {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}


def start(folder: Path) -> None:
    """Start all daemons; returns when the nodes are idle."""
    folder = folder.resolve()
    if len(str(folder)) > 80:
        raise SystemExit(f"error: {folder} is too long for a socket; take a shorter folder")
    (folder / "munge").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "munge").chmod(0o711)
    _configure(folder)
    try:
        _start_daemons(folder)
    except BaseException:
        stop(folder)
        raise


def stop(folder: Path) -> None:
    """Cancel the jobs, then end the daemons that `start` started, and no others."""
    folder = folder.resolve()
    # Steps of jobs outlive slurmd: they are ended while it still answers.
    if active := active_jobs(folder):
        command(folder, "scancel", "--full", *active)
        _wait("jobs are cancelled", lambda: not active_jobs(folder))
    recorded = folder / "pids"
    for line in reversed(recorded.read_text().splitlines() if recorded.exists() else []):
        number, began = line.split()
        _end(int(number), began)
    recorded.unlink(missing_ok=True)


def _configure(folder: Path) -> None:
    """Write slurm.conf, the pretended GPU, munge's key and the commands for jobs."""
    ports = _free_ports(1 + len(NODES))
    values = {
        "STATE": str(folder),
        "HOST": socket.gethostname().split(".")[0],
        "USER": getpass.getuser(),
        "PORT": str(ports[0]),
    }
    text = Path(__file__).with_name("slurm.conf.in").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    nodes = [_node(name, values["HOST"], port) for name, port in zip(NODES, ports[1:], strict=True)]
    (folder / "slurm.conf").write_text("\n".join([text, *nodes, *PARTITIONS, ""]))
    # Character devices make GPUs; nothing opens them.
    gpus = [f"NodeName={NODES[-1]} Name=gpu Type=fake File={device}\n" for device in DEVICES]
    (folder / "gres.conf").write_text("".join(gpus))
    (folder / "munge/key").write_bytes(os.urandom(1024))
    (folder / "munge/key").chmod(0o600)
    _write_commands(folder)


def _node(name: str, host: str, port: int) -> str:
    """The line that declares a node."""
    gpu = f" Gres=gpu:fake:{len(DEVICES)}" if name == NODES[-1] else ""
    return (
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={CORES} Boards=1 "
        f"SocketsPerBoard=1 CoresPerSocket={CORES} ThreadsPerCore=1 RealMemory={MEGABYTES}{gpu}"
    )


def _write_commands(folder: Path) -> None:
    """Commands that know their slurm.conf: Snakemake drops SLURM_CONF from the steps of jobs."""
    (folder / "bin").mkdir()
    for name in CLIENTS:
        command = folder / "bin" / name
        real = shutil.which(name, path=SEARCHED)
        command.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {real} "$@"\n')
        command.chmod(0o755)
    exports = f"export SLURM_CONF={folder}/slurm.conf\nexport PATH={folder}/bin:$PATH\n"
    (folder / "env").write_text(exports)


def _start_daemons(folder: Path) -> None:
    munge = folder / "munge"
    files = ("socket", "key-file", "pid-file", "log-file", "seed-file")
    names = ("socket", "key", "pid", "log", "seed")
    flags = [f"--{flag}={munge / name}" for flag, name in zip(files, names, strict=True)]
    _launch(folder, "munged", "--foreground", "--force", *flags)
    _wait("munged answers", lambda: (munge / "socket").exists())
    _launch(folder, "slurmctld", "-D", "-i")
    _wait("slurmctld answers", lambda: not command(folder, "scontrol", "ping").returncode)
    for name in NODES:
        start_node(folder, name)
    _wait("nodes are idle", lambda: _states(folder) == {"idle"})


def start_node(folder: Path, name: str) -> None:
    """Start the daemon of a node, also anew."""
    _launch(folder, "slurmd", "-D", "-N", name)


def _launch(folder: Path, program: str, *flags: str) -> None:
    """Start a daemon and record its id with the moment it began, so that only it is ever ended."""
    with (folder / f"{program}.log").open("a") as log:
        process = subprocess.Popen(
            [program, *flags],
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    with (folder / "pids").open("a") as pids:
        pids.write(f"{process.pid} {_began(process.pid)}\n")


def _began(process: int) -> str:
    """The moment at which a process began, in ticks; nothing for one that has ended."""
    try:
        state, *fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return ""
    return "" if state == "Z" else fields[18]


def _end(process: int, began: str) -> None:
    """End a process, by force if need be; one that only has its id is left alone."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + 10
        if _began(process) == began:
            os.kill(process, sign)
        while _began(process) == began and time.monotonic() < end:
            time.sleep(0.05)


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of SLURM."""
    return subprocess.run(
        words, env=environment(folder), capture_output=True, text=True, timeout=20
    )


def _states(folder: Path) -> set[str]:
    return set(command(folder, "sinfo", "--noheader", "--Node", "--format=%T").stdout.split())


def active_jobs(folder: Path) -> list[str]:
    """Ids of the jobs that wait or run."""
    listed = command(folder, "squeue", "--noheader", f"--states={ACTIVE}", "--format=%A")
    return listed.stdout.split()


def ended_jobs(folder: Path) -> list[tuple[str, str, str]]:
    """(name, state, GPUs) of every job that ended."""
    flags = ("--noheader", "--states=all", "--Format=Name:80,State:20,tres-per-job:40")
    lines = command(folder, "squeue", *flags).stdout.splitlines()
    return [(name, state, gpus) for name, state, gpus in map(str.split, lines)]


def _wait(what: str, reached: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            raise SystemExit(f"error: waited {seconds} s in vain until {what}")
        time.sleep(0.1)


def _free_ports(number: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


if __name__ == "__main__":
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("action", choices=["start", "stop"])
    flags.add_argument("folder", type=Path)
    arguments = flags.parse_args()
    {"start": start, "stop": stop}[arguments.action](arguments.folder)
