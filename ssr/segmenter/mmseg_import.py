"""mmsegmentation where only mmcv-lite is installed: import it from here, and from nowhere else.

mmsegmentation 1.2.2 imports mmcv's compiled operators, although few of its models call one, and
full mmcv has no wheels for current torch. While mmsegmentation is imported, a placeholder stands
in for the compiled module; afterwards it is gone, because mmengine asks whether full mmcv is there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from ssr.errors import InputError
from ssr.running.compiler import without_compiler

COMPILED = "mmcv._ext"


class _Placeholder(ModuleType):
    """Answers for any operator; only a call fails."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def operator(*_: Any, **__: Any) -> None:
            raise InputError(
                f"the segmenter calls mmcv's compiled operator {name}: allowed are models without "
                "compiled operators; came mmcv-lite. Install full mmcv or choose another config"
            )

        return operator


@contextmanager
def compiled_operators() -> Iterator[None]:
    """Put a placeholder for mmcv's compiled module in place where there is none."""
    if COMPILED in sys.modules or find_spec(COMPILED):
        yield
        return
    sys.modules[COMPILED] = _Placeholder(COMPILED)
    try:
        yield
    finally:
        del sys.modules[COMPILED]


# torchvision comes with mmcv.
with compiled_operators(), without_compiler():
    import mmseg.models  # noqa: F401 (registers the models that configs name)
    from mmcv.transforms import BaseTransform, RandomFlip, Resize
    from mmseg.datasets.transforms import PackSegInputs, PhotoMetricDistortion, RandomCrop
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead
    from mmseg.models.segmentors import EncoderDecoder
    from mmseg.registry import MODELS, TASK_UTILS, TRANSFORMS, WEIGHT_INITIALIZERS

__all__ = [
    "MODELS",
    "TASK_UTILS",
    "TRANSFORMS",
    "WEIGHT_INITIALIZERS",
    "BaseDecodeHead",
    "BaseTransform",
    "EncoderDecoder",
    "PackSegInputs",
    "PhotoMetricDistortion",
    "RandomCrop",
    "RandomFlip",
    "Resize",
]
