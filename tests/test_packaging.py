"""What others get: the package, the image, and the files that say what it is."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from ssr.running.provenance import reachable_modules
from ssr.version import __version__
from tests import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PROGRAMS = sorted(path.stem for path in (ROOT / "workflow_scripts").glob("[!_]*.py"))
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COPIED = [
    name for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M) for name in line.split()
]


def copy(names: Iterable[str], folder: Path) -> Path:
    """Those files and folders of the project in `folder`."""
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    return folder


def build(hook: str, source: Path) -> Path:
    """The wheel that pip would make of `source`, built by that hook, without a network."""
    command = f"from setuptools.build_meta import {hook}; {hook}('dist')"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = (source / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = ("pyproject.toml", "README.md", "LICENSE", "ssr", "workflow_scripts")
    return build("build_wheel", copy(parts, tmp_path_factory.mktemp("source")))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the package was unpacked."""
    folder = tmp_path_factory.mktemp("installed")
    with ZipFile(wheel) as opened:
        opened.extractall(folder)
    return folder


def test_every_file_of_the_library_and_the_programs_is_packed(installed: Path) -> None:
    for package in ("ssr", "workflow_scripts"):
        wanted = {
            path.relative_to(ROOT)
            for path in (ROOT / package).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert {
            path.relative_to(installed) for path in (installed / package).rglob("*.*")
        } == wanted


def test_nothing_else_is_packed(installed: Path) -> None:
    packages = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert packages == {"ssr", "workflow_scripts"}


def test_the_package_says_its_version_and_licence(installed: Path) -> None:
    (information,) = installed.glob("*.dist-info")
    metadata = HeaderParser().parsestr((information / "METADATA").read_text())
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert (information / "licenses/LICENSE").read_text() == (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "ssr.command", "--version"),
        ("-m", "workflow_scripts.index_dataset", "--help"),
        ("-c", "import ssr; ssr.open_results"),
        ("-c", "import ssr.inspect.server"),
    ],
    ids=" ".join,
)
def test_what_is_packed_works_in_any_folder(
    installed: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_pip_needs_nothing_at_hand_to_install_the_package() -> None:
    assert not any(line.startswith("fast_slic") for line in PROJECT["dependencies"])
    assert ".[dev,onnx,slic]" in (ROOT / "Makefile").read_text()


def test_the_documented_commands_are_those_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text().replace(" --quiet", "")
    documented = (ROOT / "docs/installing.md").read_text()
    lines = [line.strip() for line in documented.splitlines()]
    commands = [line for line in lines if re.match(r"pip (un)?install --?|pip install \"", line)]
    shared = [line for line in commands if not line.endswith('".[slic]"')]
    assert len(shared) == 3
    assert all(f"\t{line}\n" in makefile for line in shared)


def test_all_that_names_a_version_names_this_one() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## \[(.+)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert citation["version"] == newest[1] == __version__
    assert str(citation["date-released"]) == newest[2]
    assert set(re.findall(r"ssr:(\d[\d.]+\d)", (ROOT / "docs/slurm.md").read_text())) == {
        __version__
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_new_version_reruns_nothing(program: str) -> None:
    assert "ssr.version" not in reachable_modules(f"workflow_scripts.{program}")


def test_the_licence_is_the_one_that_is_named_word_for_word() -> None:
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["license"] == PROJECT["license"] == "Apache-2.0"


def test_the_image_is_set_up_by_make() -> None:
    assert re.findall(r"^RUN make (\S+)", DOCKERFILE, re.MULTILINE) == [".venv/ready"]
    assert "pip install" not in DOCKERFILE
    assert f"FROM python:{PROJECT['requires-python'][2:6]}-slim" in DOCKERFILE


def test_the_image_gets_the_files_that_it_copies_and_no_others() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == set(COPIED)


def test_what_the_image_copies_is_enough_to_set_it_up(tmp_path: Path) -> None:
    assert __version__ in build("build_editable", copy(COPIED, tmp_path)).name


def test_arguments_of_the_image_are_documented() -> None:
    documented = (ROOT / "docs/slurm.md").read_text()
    for name in re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE):
        assert f"--build-arg {name}=" in documented


def test_rules_run_in_the_image_that_is_documented() -> None:
    image = re.search(r'^container: "(.+)"$', (ROOT / "Snakefile").read_text(), re.MULTILINE)
    assert image
    assert f"apptainer build {image[1]} " in (ROOT / "docs/slurm.md").read_text()
    assert f"/{image[1]}" in (ROOT / ".gitignore").read_text().splitlines()


def test_what_snakemake_needs_outside_the_image_has_the_pins_of_the_project() -> None:
    lines = re.findall(r"^  pip install (.+)$", (ROOT / "docs/slurm.md").read_text(), re.MULTILINE)
    needed = {name for line in lines for name in line.split() if not name.startswith("--")}
    assert len(needed) == 6
    assert needed <= set(PROJECT["dependencies"])


def test_every_file_of_settings_is_introduced() -> None:
    introduced = (ROOT / "config/README.md").read_text()
    for path in (ROOT / "config").glob("*.yaml"):
        assert f"config/{path.name}" in introduced


def test_the_catalogue_is_told_what_there_is() -> None:
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["conda"]
    assert (ROOT / "config/README.md").is_file()
