"""SHA-256 of every artefact of a run: what two runs of one configuration must agree in."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ssr.running.event_files import is_event_file

# They tell of the run rather than of its results: hours, seconds, host, attempts, checkpoints.
_OF_THE_RUN = ("logs", "benchmarks")
_WORK = "work"
# They have hours and seconds; the page's figures are files beside it.
_PAGES = ("report/index.html", "report/provenance.json")


def artefacts(results: Path) -> list[Path]:
    """The files below `results`, a folder results/{dataset}, that configuration and code determine.

    Paths are relative to `results` and sorted. Left out: logs/, benchmarks/, the work folders of
    trainings, TensorBoard's files, the report's page and provenance, which hold times, and files
    whose name starts with a dot, as those do that a job is still writing.
    """
    files = (path.relative_to(results) for path in results.rglob("*") if path.is_file())
    return sorted(path for path in files if _is_artefact(path))


def digests(results: Path) -> dict[str, str]:
    """SHA-256 of each of the `artefacts`, by their path relative to `results`, sorted."""
    paths = artefacts(results)
    with ThreadPoolExecutor() as pool:
        found = pool.map(digest, (results / path for path in paths))
        return dict(zip(map(str, paths), found, strict=True))


def digest(path: Path) -> str:
    """The SHA-256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_artefact(path: Path) -> bool:
    return (
        path.parts[0] not in _OF_THE_RUN
        and _WORK not in path.parts[:-1]
        and str(path) not in _PAGES
        and not path.name.startswith(".")
        and not is_event_file(path)
    )
