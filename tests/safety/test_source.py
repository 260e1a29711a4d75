"""What the source must not say: every way to run, unpick or unpack what someone else wrote."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests import ROOT

SOURCES = sorted(
    path for part in ("ssr", "workflow_scripts") for path in ROOT.glob(f"{part}/**/*.py")
)
RULES = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]

# Modules that run what they read, or that expand the entities of XML.
UNSAFE_MODULES = (
    *("pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "code", "runpy", "pandas"),
    *("lxml", "xml.dom", "xml.sax", "torch.package"),
)
UNSAFE_CALLS = (
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "importlib.import_module"),
    *("yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "shutil.unpack_archive"),
    *("torch.jit.load", "torch.hub.load", "torch.ops.load_library", "numpy.lib.format.read_array"),
    *("mmengine.config.Config.fromfile", "mmengine.hub.get_config", "mmengine.hub.get_model"),
)
UNSAFE_METHODS = ("extract", "extractall", "set_trace")
# A call that is safe with this argument alone.
NEEDS = {
    "torch.load": ("weights_only", True),
    "numpy.load": ("allow_pickle", False),
    "PIL.Image.open": ("formats", None),
}
# The unpickler that knows no names but its own; and mmsegmentation's configs, which are programs.
ALLOWED = {
    ("ssr/data/pickled_arrays.py", "pickle"),
    ("ssr/segmenter/model.py", "mmengine.config.Config.fromfile"),
    ("ssr/segmenter/model.py", "mmengine.hub.get_config"),
}


def imports(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for, dotted."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                found[alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def full_name(node: ast.expr, known: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return f"{full_name(node.value, known)}.{node.attr}"
    return known.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def unsafe(source: str) -> Iterator[str]:
    """The names of what a module does that it must not."""
    tree = ast.parse(source)
    known = imports(tree)
    for name in set(known.values()):
        yield from (bad for bad in UNSAFE_MODULES if name == bad or name.startswith(f"{bad}."))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = full_name(call.func, known)
        given = {word.arg: word.value for word in call.keywords}
        if name in UNSAFE_CALLS:
            yield name
        if isinstance(call.func, ast.Attribute) and call.func.attr in UNSAFE_METHODS:
            yield f".{call.func.attr}"
        if "shell" in given and name.startswith("subprocess."):
            yield "shell="
        if name in NEEDS:
            argument, value = NEEDS[name]
            came = given.get(argument)
            if came is None or (value is not None and getattr(came, "value", None) is not value):
                yield name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_runs_unpicks_or_unpacks_what_it_reads(path):
    name = str(path.relative_to(ROOT))
    assert [one for one in unsafe(path.read_text()) if (name, one) not in ALLOWED] == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "import xml.dom.minidom as dom",
        "eval('1')",
        "import torch; torch.load(path)",
        "import torch as t; t.load(path, weights_only=False)",
        "from torch import load; load(path)",
        "import numpy as np; np.load(path)",
        "import numpy as np; np.load(path, allow_pickle=True)",
        "from PIL import Image; Image.open(path)",
        "import yaml; yaml.load(text, Loader)",
        "import subprocess; subprocess.run(command, shell=True)",
        "from os import system; system(command)",
        "import zipfile; zipfile.ZipFile(path).extractall()",
        "from mmengine.config import Config; Config.fromfile(path)",
    ],
)
def test_the_test_above_finds(line):
    assert list(unsafe(line))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_the_rules_quote_whatever_they_hand_to_a_shell(path):
    """But for whole numbers, which no one else can write."""
    text = path.read_text()
    commands = re.findall(r'shell:\s*"""(.*?)"""', text, re.DOTALL)
    assert len(commands) == text.count("shell:")
    placeholders = [place for command in commands for place in re.findall(r"{([^}]*)}", command)]
    bare = [place for place in placeholders if not place.endswith(":q")]
    assert set(bare) <= {"threads", "params.seed"}
    assert not re.search(r"\b(eval|exec|pickle|os\.system|subprocess|yaml\.load)\b", text)
