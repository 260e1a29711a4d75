"""SSR: weakly supervised semantic segmentation with CLIP, as plain functions on arrays."""

import os

# Libraries that call torch.load themselves (mmengine for the weights that its configs name, among
# others) would run what a pickle says. This makes every such call read weights alone.
os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)
