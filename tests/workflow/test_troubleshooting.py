"""The messages that docs/troubleshooting.md answers are those that come."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import snakemake
from snakemake.cli import parse_config
from snakemake.common.configfile import load_configfile
from snakemake_interface_common.exceptions import WorkflowError

from tests import ROOT

PAGE = (ROOT / "docs/troubleshooting.md").read_text()
CELLS = re.findall(r"^\| (`.*?) \| ", PAGE, re.MULTILINE)
MESSAGES = [message for cell in CELLS for message in re.findall("`(.+?)`", cell)]
# Python's own, and the name of a function in a traceback; what is tried below.
PYTHONS = (
    "FileNotFoundError",
    "IsADirectoryError",
    "ValueError: ",
    "load_configfile",
    "Config file is not",
)


@cache
def said() -> str:
    """All texts in the code of this project and of Snakemake, each in one piece."""
    own = [path for part in ("ssr", "workflow_scripts") for path in (ROOT / part).rglob("*.py")]
    root = Path(snakemake.__file__).parent
    theirs = [*root.glob("*.py"), *root.glob("common/*.py")]
    nodes = (node for path in own + theirs for node in ast.walk(ast.parse(path.read_text())))
    texts = [str(node.value) for node in nodes if isinstance(node, ast.Constant)]
    return "\n".join([*texts, (ROOT / "Snakefile").read_text()])


@pytest.mark.parametrize("message", [m for m in MESSAGES if not m.startswith(PYTHONS)])
def test_a_message_on_the_page_is_one_of_the_code(message: str) -> None:
    for piece in re.split(r"…|\(…\)", message.removeprefix("error: ").removeprefix("Error: ")):
        piece = piece.removeprefix(": ").strip(" '")
        assert piece in said(), piece


def test_a_missing_file_or_a_swallowed_target_is_on_the_page() -> None:
    with pytest.raises(FileNotFoundError, match="No such file or directory: 'cams'"):
        load_configfile("cams")
    assert any(message.endswith("No such file or directory: '…'") for message in MESSAGES)


def test_a_folder_of_settings_is_on_the_page(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as error:
        load_configfile(tmp_path)
    assert f"IsADirectoryError: {error.value}".replace(str(tmp_path), "…") in MESSAGES


def test_a_tab_is_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "tab.yaml").write_text("data:\n\troot: x\n")
    with pytest.raises(WorkflowError) as error:
        load_configfile(tmp_path / "tab.yaml")
    assert f"{str(error.value).partition('. ')[0]}. …" in MESSAGES


@pytest.mark.parametrize("entry", ["data.root=x", "cams"])
def test_what_config_refuses_is_on_the_page(entry: str) -> None:
    with pytest.raises(ValueError, match="Invalid config definition") as error:
        parse_config([entry])
    message = f"ValueError: {error.value}".replace("(Unparsable value: 'cams')", "…")
    assert message in MESSAGES


@pytest.mark.parametrize("link", re.findall(r"\]\(([\w./]+)#([\w-]+)\)", PAGE))
def test_what_the_page_links_to_is_there(link: tuple[str, str]) -> None:
    file, anchor = link
    titles = re.findall(r"^#+ (.*)$", (ROOT / "docs" / file).read_text(), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
