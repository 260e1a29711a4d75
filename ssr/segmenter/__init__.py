"""The segmenter: mmsegmentation models trained on pseudo-labels, and their logits.

In: images with pseudo-labels; frozen CLIP with a light decoder, or any config of mmsegmentation.
Out: a model as safetensors, and logits (C + 1, h, w) of images on a coarse grid.
"""

__all__ = [
    "clip_backbone",
    "dataset",
    "description",
    "joint",
    "mmseg_import",
    "model",
    "optimisation",
    "prediction",
    "training",
]
