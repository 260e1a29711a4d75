"""open_clip and timm without torch's compiler: import them from here where nothing is compiled.

timm and torchvision mention torch._dynamo while they are imported, which makes it a third of what
their import takes: to ask whether a detector's operator can be compiled, and to take a function
out of a compilation. A placeholder answers meanwhile: nothing is to be compiled, so no function has
to be taken out. Afterwards it is gone, and who compiles imports the real one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

COMPILER = "torch._dynamo"


def _placeholder() -> dict[str, ModuleType]:
    compiler, utilities = ModuleType(COMPILER), ModuleType(f"{COMPILER}.utils")
    answers: dict[ModuleType, dict[str, Any]] = {
        compiler: {"disable": lambda function, *_, **__: function, "utils": utilities},
        utilities: {"is_compile_supported": lambda _: False},
    }
    for module, names in answers.items():
        vars(module).update(names)
    return {module.__name__: module for module in answers}


@contextmanager
def without_compiler() -> Iterator[None]:
    """Let a placeholder stand for torch's compiler, unless it has been imported."""
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
        vars(torch).pop("_dynamo", None)


with without_compiler():
    import open_clip
    import timm
    from open_clip.model import CLIP
    from open_clip.tokenizer import SimpleTokenizer
    from open_clip.transformer import ResidualAttentionBlock
    from open_clip.transformer import VisionTransformer as ClipVision
    from timm.layers import AttentionRope, PatchEmbed
    from timm.models import eva, vision_transformer
    from timm.models.eva import Eva, EvaAttention
    from timm.models.vision_transformer import Attention, VisionTransformer

__all__ = [
    "CLIP",
    "Attention",
    "AttentionRope",
    "ClipVision",
    "Eva",
    "EvaAttention",
    "PatchEmbed",
    "ResidualAttentionBlock",
    "SimpleTokenizer",
    "VisionTransformer",
    "eva",
    "open_clip",
    "timm",
    "vision_transformer",
]
