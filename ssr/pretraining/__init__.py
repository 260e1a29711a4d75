"""Small CLIPs and DINOs trained from scratch: the demo's, and stand-ins for a user's own domain.

In: procedural scenes, or a data set's own train images and image-level labels.
Out: backbones as float16 safetensors, and the gates that the demo's must pass.
"""

__all__ = [
    "clip",
    "corpus",
    "dino",
    "export",
    "gates",
    "lessons",
    "loop",
    "recipes",
    "scenes",
    "standins",
    "strokes",
]
