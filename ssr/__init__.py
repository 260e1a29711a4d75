"""SSR: weakly supervised semantic segmentation with CLIP, as plain functions on arrays."""

import os
from importlib import import_module
from typing import Any

# Libraries that call torch.load themselves (mmengine for the weights that its configs name, among
# others) would run what a pickle says. This makes every such call read weights alone.
os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)


def __getattr__(name: str) -> Any:
    # Imported when it is used, and not by a statement: those are what `ssr.provenance` follows, and
    # every program would be taken to rest on the reader of its results.
    if name == "open_results":
        return import_module("ssr.results").open_results
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
