"""What a run made, for other people's programs: `ssr export`.

In: the segmenter of a run, and label maps of a run or of `ssr predict`.
Out: an ONNX file, a config and checkpoint of mmsegmentation, masks as annotation tools import them.
"""

__all__ = ["command"]
