"""Cross-Modal Prototype Alignment (CMPA, Eq. 3-6): learning a space where images meet texts.

In: CLIP's projected patch tokens, pooled by CAM or one by one, and text embeddings; no mask, no
backbone.
Out: prototypes of each class, and the heads (ISA, TSA) that map both into the aligned space.
"""

__all__ = ["heads", "image_labels", "patches", "prototypes", "samples", "training"]
