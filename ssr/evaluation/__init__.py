"""How good it is: maps, labels and logits held against the masks.

In: the artefacts of a stage and the masks of their images.
Out: one JSON document per stage, method and split, with confusion matrix, mIoU and the threshold
that was chosen; each image's own confusions; the rows of summary.json.
"""

__all__ = ["evaluation", "image_scores", "metrics", "summary", "table", "thresholds"]
