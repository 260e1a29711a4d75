"""A hash of the code behind a program: changes with its meaning, not with comments or layout."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ssr", "workflow_scripts")
# How a program is started and how it speaks, what only readers of results use, and the version;
# nothing in them changes what a program computes.
PLUMBING = frozenset(
    f"ssr.{name}"
    for name in (
        *("artefacts.files", "config", "config.settings", "errors", "results", "version"),
        *("running.distributed", "running.event_files", "running.progress", "running.programs"),
    )
)

# Where a run keeps the hashes for its jobs, as `ssr.config.settings.freeze` its configuration.
KEPT = "SSR_CODE"


@cache
def kept_hash(module: str, starts: bool) -> str:
    """The `code_hash` of a run that `starts`; in a job, the one that it had when the run started.

    After an edit of the code, a job would else take the files that it reads for outdated and make
    them anew, as would all other jobs at the same time.
    """
    hashes = json.loads(os.environ.get(KEPT, "{}"))
    if starts or module not in hashes:
        hashes[module] = code_hash(module)
        os.environ[KEPT] = json.dumps(hashes)
    return str(hashes[module])


def commit() -> str | None:
    """The commit of this code, + behind it if files have changed since; None outside a clone.

    Programs are started anew when their code changes: what a run has made is what its last commit
    makes.
    """
    if not (ROOT / ".git").exists():  # else one may be asked of which this is no part
        return None
    options = ("--always", "--abbrev=12", "--dirty=+", "--exclude=*")
    command = ["git", "--no-optional-locks", "-C", str(ROOT), "describe", *options]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # no git, or a clone of someone else's
        return None


def code_hash(module: str) -> str:
    """Twelve hexadecimal digits over the syntax trees of `module` and all it imports from here.

    Comments, docstrings, `__all__` and formatting do not count; the modules in `PLUMBING` neither.
    """
    digest = hashlib.sha256()
    for name in sorted(reachable_modules(module)):
        digest.update(_canonical(name).encode())
    return digest.hexdigest()[:12]


def reachable_modules(module: str) -> set[str]:
    """`module` and all modules of this project behind its imports, but for the plumbing."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in _imports(name) if other not in PLUMBING]
    return found


@cache
def _tree(module: str) -> ast.Module:
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(module)
    tree = ast.parse(path.read_text())
    for node in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            del node.body[0]
    tree.body = [statement for statement in tree.body if not _offers_names(statement)]
    return tree


def _offers_names(statement: ast.stmt) -> bool:
    """Whether a statement is `__all__ = …`, which a room's next module must be free to change."""
    return isinstance(statement, ast.Assign) and "__all__" in map(ast.unparse, statement.targets)


@cache
def _canonical(module: str) -> str:
    return f"{module}\n{ast.dump(_tree(module))}\n"


@cache
def _imports(module: str) -> tuple[str, ...]:
    return tuple(name for name in _named(_tree(module)) if _path(name))


def _named(tree: ast.Module) -> Iterator[str]:
    """Modules of this project that an import statement may mean, with their packages."""
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.partition(".")[0] in PACKAGES:
                parts = name.split(".")
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all statements below it; expressions, most of a tree, hold none."""
    yield node
    for part in ("body", "orelse", "handlers", "finalbody", "cases"):
        for below in getattr(node, part, ()):
            yield from _statements(below)


@cache
def _path(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)
