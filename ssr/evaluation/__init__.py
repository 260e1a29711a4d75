"""How good it is: maps, labels and logits held against the masks.

In: the artefacts of a stage and the masks of their images.
Out: one JSON document per stage, method and split, with confusion matrix, mIoU and the threshold
that was chosen; each image's own confusions; which heads of CMPA are best; the rows of
summary.json, over several seeds where there are, and with how sure their differences are.
"""

__all__ = [
    "bootstrap",
    "comparisons",
    "evaluation",
    "image_scores",
    "looks",
    "metrics",
    "pooling",
    "summary",
    "table",
    "thresholds",
]
