"""The heart: from stored features to class activation maps, and to refined ones (SGC).

In: tokens that enter CLIP's last block, attention, text embeddings, heads of CMPA if there are any.
Out: raw CAMs (K, N) of the K classes of an image; superpixels and colour regions; the affinity of
its N patches; refined CAMs (K, h, w) in 0..1.
"""

__all__ = ["activation", "affinity", "refinement", "superpixels"]
