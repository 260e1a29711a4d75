"""The segmenter: mmsegmentation models trained on pseudo-labels, and their logits."""
