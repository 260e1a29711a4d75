import re
import subprocess
from pathlib import Path

import pytest

from ssr.running import provenance


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two modules: workflow_scripts.stage imports ssr.maths inside a function."""
    for package in ("ssr", "workflow_scripts"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "ssr/maths.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "ssr/errors.py").write_text("class InputError(Exception): ...\n")
    (tmp_path / "ssr/other.py").write_text("unused = 1\n")
    stage = "from ssr.errors import InputError\ndef main():\n    from ssr import maths\n"
    (tmp_path / "workflow_scripts/stage.py").write_text(stage)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    return tmp_path


def forget_all() -> None:
    for cached in (
        provenance._path,
        provenance._tree,
        provenance._canonical,
        provenance._imports,
        provenance.kept_hash,
    ):
        cached.cache_clear()


@pytest.fixture(autouse=True)
def forget_other_projects() -> None:
    forget_all()


def current_hash() -> str:
    forget_all()
    return provenance.code_hash("workflow_scripts.stage")


def test_a_changed_import_changes_the_hash(project: Path) -> None:
    before = current_hash()
    (project / "ssr/maths.py").write_text("def double(x):\n    return x + x\n")
    assert current_hash() != before


@pytest.mark.parametrize(
    "text",
    [
        "# why\ndef double(x):\n    return 2 * x\n",
        'def double(x):\n    """Twice x."""\n    return 2 * x\n',
        "def double(\n    x,\n):\n    return (2 * x)\n",
        '__all__ = ["double"]\ndef double(x):\n    return 2 * x\n',
    ],
    ids=["comment", "docstring", "layout", "offered names"],
)
def test_comments_docstrings_layout_and_offered_names_do_not_count(
    project: Path, text: str
) -> None:
    before = current_hash()
    (project / "ssr/maths.py").write_text(text)
    assert current_hash() == before


def test_modules_that_are_not_imported_do_not_count(project: Path) -> None:
    before = current_hash()
    (project / "ssr/other.py").write_text("unused = 2\n")
    assert current_hash() == before


def test_plumbing_does_not_count(project: Path) -> None:
    before = current_hash()
    (project / "ssr/errors.py").write_text("class InputError(ValueError): ...\n")
    assert current_hash() == before


def test_a_job_has_the_hash_with_which_its_run_started(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(provenance.KEPT, "{}")
    started = provenance.kept_hash("workflow_scripts.stage", starts=True)
    (project / "ssr/maths.py").write_text("def double(x):\n    return 3 * x\n")
    forget_all()
    assert provenance.kept_hash("workflow_scripts.stage", starts=False) == started
    assert provenance.kept_hash("workflow_scripts.stage", starts=True) != started


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=me", "-c", "user.email=me@here")
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


def test_a_commit_tells_whether_files_have_changed_since(project: Path) -> None:
    assert provenance.commit() is None
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    git(project, "tag", "-a", "v1", "-m", "a tag is no commit")
    made = provenance.commit()
    assert made is not None
    assert re.fullmatch("[0-9a-f]{12}", made)
    (project / "ssr/other.py").write_text("unused = 2\n")
    assert provenance.commit() == f"{made}+"


def test_code_inside_the_clone_of_another_project_has_no_commit(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(project, "init")
    git(project, "commit", "--allow-empty", "-m", "another")
    monkeypatch.setattr(provenance, "ROOT", project / "ssr")
    assert provenance.commit() is None
