"""Cross-Modal Prototype Alignment (CMPA, Eq. 3-6): learning a space where images meet texts.

In: CLIP's projected patch tokens, pooled by CAM or one by one, or the tokens that enter its last
block, and text embeddings; no mask, no image.
Out: prototypes of each class, and the aligner that maps both into the aligned space: heads (ISA,
TSA), or CLIP's last block, fine-tuned.
"""

__all__ = [
    "aligner",
    "heads",
    "image_labels",
    "online",
    "patches",
    "prototypes",
    "samples",
    "trained",
    "training",
]
