"""torch without its compiler, whose import takes as long as torch's own.

Optimisers import it to take functions out of a compilation and to break graphs, timm and
torchvision to ask whether an operator can be compiled. Where nothing is compiled there is nothing
to do: a placeholder answers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"


@contextmanager
def without_compiler() -> Iterator[None]:
    """Let a placeholder stand for torch's compiler, unless it has been imported.

    Afterwards it is gone, and who compiles imports the real one.
    """
    if COMPILER in sys.modules:
        yield
        return
    placeholder = _placeholder()
    sys.modules.update(placeholder)
    try:
        yield
    finally:
        for name in placeholder:
            del sys.modules[name]
        if torch := sys.modules.get("torch"):
            vars(torch).pop("_dynamo", None)


def _placeholder() -> dict[str, ModuleType]:
    compiler, utilities = ModuleType(COMPILER), ModuleType(f"{COMPILER}.utils")
    answers: dict[ModuleType, dict[str, Any]] = {
        compiler: {
            "disable": lambda function, *_, **__: function,
            "graph_break": lambda: None,
            "utils": utilities,
        },
        utilities: {"is_compile_supported": lambda _: False},
    }
    for module, names in answers.items():
        vars(module).update(names)
    return {module.__name__: module for module in answers}
