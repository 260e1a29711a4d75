"""SSR: weakly supervised semantic segmentation with CLIP, as plain functions on arrays."""

import os
from typing import Any

from ssr.version import __version__ as __version__

# Libraries that call torch.load themselves (mmengine for the weights that its configs name, among
# others) would run what a pickle says. This makes every such call read weights alone.
os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)


def __getattr__(name: str) -> Any:
    if name == "open_results":  # imported when it is used: programs need no reader of results
        from ssr.results import open_results

        return open_results
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
