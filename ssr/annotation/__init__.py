"""Masks in the forms of annotation tools: COCO, CVAT, FiftyOne, Label Studio.

In: label maps of images, to be written; or what such a tool has exported.
Out: what it imports; or label maps.
"""

__all__ = ["formats", "json_files", "label_studio", "labelled"]
