"""open_clip and timm without torch's compiler: import them from here, and from nowhere else.

timm and torchvision mention it while they are imported, which makes it a third of what their import
takes.
"""

from __future__ import annotations

from ssr.running.compiler import without_compiler

with without_compiler():
    import open_clip
    import timm
    from open_clip.model import CLIP
    from open_clip.tokenizer import SimpleTokenizer
    from open_clip.transformer import ResidualAttentionBlock
    from open_clip.transformer import VisionTransformer as ClipVision
    from timm.layers import AttentionRope, PatchEmbed
    from timm.models import eva, vision_transformer
    from timm.models.eva import Eva, EvaAttention
    from timm.models.vision_transformer import Attention, VisionTransformer

__all__ = [
    "CLIP",
    "Attention",
    "AttentionRope",
    "ClipVision",
    "Eva",
    "EvaAttention",
    "PatchEmbed",
    "ResidualAttentionBlock",
    "SimpleTokenizer",
    "VisionTransformer",
    "eva",
    "open_clip",
    "timm",
    "vision_transformer",
]
