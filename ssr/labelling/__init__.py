"""From maps and logits to labels of pixels.

In: CAMs with a background threshold, or a segmenter's logits; the image, for the dense CRF.
Out: label maps (H, W) uint8 (0 background, 1..C classes, 255 ignored), and the archive that an
evaluation server takes.
"""

__all__ = ["crf", "predictions", "pseudo_labels", "submission"]
