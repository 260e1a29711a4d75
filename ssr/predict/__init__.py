"""What was trained, in use: the segmenter of a run on any image.

In: the segmenter's files, and images that no run needs to know.
Out: labels and probabilities of pixels, as arrays or as files of a folder.
"""

__all__ = ["command", "folder", "segmenter"]
