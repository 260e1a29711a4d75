"""The frozen networks, CLIP and DINO, and what is read of them: tokens, attention, text embeddings.

In: names, tags or files of weights, read without running code; images; prompts.
Out: the tokens that enter CLIP's last block and the mean attention of both networks on CLIP's grid;
unit vectors of classes and backgrounds in the joint space of images and texts.
"""

__all__ = [
    "blocks",
    "devices",
    "features",
    "grids",
    "last_block",
    "libraries",
    "networks",
    "pretrained",
    "products",
    "text",
    "weights",
]
