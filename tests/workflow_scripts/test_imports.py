"""What programs import: libraries that take seconds, where their work needs them and only there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import ROOT

# They take between 0.4 (scikit-image) and 2.5 seconds (torch) of processor time.
HEAVY = {
    *("torch", "open_clip", "timm", "mmseg", "mmcv", "mmengine", "transformers"),
    *("matplotlib", "pandas", "scipy", "skimage", "sklearn"),
}
NETWORKS = frozenset({"torch", "open_clip", "timm"})
SEGMENTER = NETWORKS | {"mmcv", "mmengine", "mmseg"}
# Those of the rules that need any; all others need none.
NEEDED = {
    "activate_cams": {"torch"},
    "align_prototypes": {"torch"},
    "build_report": {"torch", "matplotlib", "sklearn"},
    "check_backbones": NETWORKS,
    "choose_heads": {"torch"},
    "cluster_prototypes": {"torch"},
    "encode_text": NETWORKS,
    "extract_features": NETWORKS,
    "fetch_weights": {"open_clip", "timm"},  # which import torch
    "pool_samples": {"torch"},
    "predict_logits": SEGMENTER,
    "pretrain_clip": NETWORKS,
    "pretrain_demo_backbone": NETWORKS,
    "pretrain_dino": NETWORKS,
    "train_fully_supervised": SEGMENTER,
    "train_jointly": SEGMENTER,
    "train_segmenter": SEGMENTER,
}
RULES = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
PROGRAMS = sorted(set(re.findall(r"python -m workflow_scripts\.(\w+)", RULES)))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_imports_no_library_that_its_work_does_not_need(program: str) -> None:
    """main() imports what is heavy, when the arguments are known to be right."""
    waiting = [*_imported(_tree(ROOT / f"workflow_scripts/{program}.py"), inside_functions=True)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and (path := _path(name)):
            # What programs share is called by them.
            waiting += _imported(_tree(path), name.startswith("workflow_scripts._"))
        seen.add("torch" if name == "safetensors.torch" else name)
    assert seen & HEAVY == NEEDED.get(program, set())


def _imported(tree: ast.AST, inside_functions: bool) -> Iterator[str]:
    """Modules that are imported when a module is, or also when its functions are called."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in _packages(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from _packages(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif (inside_functions or not isinstance(node, ast.FunctionDef)) and not _for_types(node):
            yield from _imported(node, inside_functions)


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _path(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    return next(filter(Path.is_file, (base.with_suffix(".py"), base / "__init__.py")), None)
