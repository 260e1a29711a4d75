"""Files that no job of the configuration makes or continues."""

from __future__ import annotations

import platform
import re
import shlex
from collections.abc import Collection, Iterable
from pathlib import Path

from ssr.doctor.findings import Finding

_PART = re.compile(r"^\..*\.(?P<process>\d+)\.part$")
_KIND = "left over"
# What rules write beside their outputs without declaring it: histories, the report's figures.
_REPORT = "report"
_HISTORY = "history.csv"


def strangers(results: Path, paths: Iterable[Path], outputs: Collection[Path]) -> list[Path]:
    """Those artefacts, relative to `results`, that stand neither among `outputs` nor beside one."""
    folders = {path.parent for path in outputs}
    declared = {(path.parent, _stem(path)) for path in outputs}

    def known(path: Path) -> bool:
        beside = (results / path.parent, _stem(path)) in declared
        history = path.name == _HISTORY and results / path.parent in folders
        return beside or history or path.parts[0] == _REPORT

    return [path for path in paths if not known(path)]


def left_over(results: Path, paths: Iterable[Path], outputs: Collection[Path]) -> list[Finding]:
    """One finding for each folder of `strangers`; nothing is deleted here."""
    needed = {folder for path in outputs for folder in path.parents}
    groups: dict[tuple[Path, bool], list[Path]] = {}
    for path in paths:
        groups.setdefault(_group(results, results / path, needed), []).append(results / path)
    return [_finding(folder, whole, files) for (folder, whole), files in groups.items()]


def unfinished(results: Path, busy: bool) -> list[Finding]:
    """Temporary files whose process is gone. `busy`: a run may write on other nodes."""
    return [
        Finding("unfinished", f"{path}, {size(path.stat().st_size)}", shlex.join(["rm", str(path)]))
        for path in sorted(results.rglob(".*.part"))
        if not _is_written(path, busy)
    ]


def spent_checkpoints(results: Path, outputs: Collection[Path]) -> list[Finding]:
    """Checkpoints of trainings that were never continued: their model has been made since."""
    findings = []
    for work in sorted(results.glob("*/*/work/*")):
        checkpoints = list(work.rglob("*.pt"))
        siblings = [path for path in outputs if path.parent == work.parent.parent and path.exists()]
        newest = max((path.stat().st_mtime for path in siblings), default=0)
        if checkpoints and max(path.stat().st_mtime for path in checkpoints) < newest:
            findings.append(_finding(work, whole=True, files=checkpoints))
    return findings


def size(number: int) -> str:
    """A number of bytes for people."""
    amount = float(number)
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        del units[0]
    return f"{amount:.3g} {units[0]}"


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _group(results: Path, path: Path, needed: Collection[Path]) -> tuple[Path, bool]:
    """The topmost folder around `path` that holds no output, else its own; whether it is whole."""
    below = [folder for folder in path.parents if results in folder.parents]
    for folder in reversed(below):
        if folder not in needed:
            return folder, True
    return path.parent, False


def _finding(folder: Path, whole: bool, files: Iterable[Path]) -> Finding:
    files = list(files)
    total = size(sum(path.stat().st_size for path in files))
    text = files[0] if len(files) == 1 else f"{folder}: {len(files)} files"
    remove = ["rm", "-r", folder] if whole else ["rm", *files]
    return Finding(_KIND, f"{text}, {total}", shlex.join(map(str, remove)))


def _is_written(path: Path, busy: bool) -> bool:
    matched = _PART.match(path.name)
    if matched and f".{platform.node()}." in path.name:
        return Path("/proc", matched["process"]).exists()
    return busy
