"""Prompts of classes and backgrounds in; their CLIP embeddings out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.config import Backbone, Text
from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Encode all prompts in one batch."""
    from ssr.backbones.devices import choose_device
    from ssr.backbones.networks import load_clip, load_tokenizer
    from ssr.backbones.text import encode_text

    clip = load_clip(arguments.backbone, choose_device(arguments.device))
    tokenizer = load_tokenizer(arguments.backbone)
    given: Text = arguments.text
    text = given.model_copy(update={"backgrounds": given.offered_backgrounds})
    encode_text(clip, tokenizer, text, arguments.classes).write(arguments.output)


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--text", type=Text.model_validate_json, required=True)
    flags.add_argument("--classes", nargs="+", required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
