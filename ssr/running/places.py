"""Where results lie: below the folder in which Snakemake made them, wherever one asks from."""

from __future__ import annotations

import os
from pathlib import Path

from ssr.errors import InputError

_SNAKEFILE = "Snakefile"
# Every run has it in its folder, results/{dataset}.
_LOGS = "logs"


def locate(results: Path) -> Path:
    """The absolute path of the folder of a run; behind a link, if there alone is a workflow.

    Raises:
        InputError: there is no such folder, it can't be read, or it only holds those of runs.
    """
    _check(results)
    behind = Path(os.path.realpath(results))
    here = Path(os.path.abspath(results))
    if not (here.exists() and here.samefile(behind)):  # ".." behind a link
        return behind
    known = (path for path in (here, behind) if (_home(path) / _SNAKEFILE).is_file())
    return next(known, here)


def enter(results: Path) -> Path:
    """Change to the folder in which Snakemake made `results`; returns their path from there.

    Raises:
        InputError: as `locate`.
    """
    folder = locate(results)
    os.chdir(_home(folder))
    return folder.relative_to(_home(folder))


def require_workflow() -> None:
    """Refuse a folder in which Snakemake finds no workflow.

    Raises:
        InputError: the current folder is no clone of the repository.
    """
    if not Path(_SNAKEFILE).is_file():
        raise InputError(
            f"no Snakefile in {Path.cwd()}: run it in a clone of the repository, "
            "where snakemake runs"
        )


def _home(results: Path) -> Path:
    """Snakemake makes results/{dataset} where it runs."""
    return results.parent.parent


def _check(results: Path) -> None:
    try:
        results.stat()
    except FileNotFoundError:
        where = "" if results.is_absolute() else f" in {Path.cwd()}"
        there = _runs(Path("results"))
        raise InputError(f"{results}: no such folder{where}{there}") from None
    except OSError as error:
        raise InputError(f"{results}: {error.strerror}") from None
    if not results.is_dir():
        raise InputError(f"{results}: is a file; the folder of a run is results/{{dataset}}")
    if not os.access(results, os.R_OK | os.X_OK):
        raise InputError(f"{results}: may not be read by this user")
    found = _runs(results) or _runs(results / "results")
    if found and not (results / _LOGS).exists():
        raise InputError(f"{results}: is not the folder of a run{found}")


def _runs(folder: Path) -> str:
    """Words that name the runs in `folder`, if there are any."""
    found = ", ".join(sorted(str(path.parent) for path in folder.glob(f"*/{_LOGS}")))
    return f"; there are {found}" if found else ""
