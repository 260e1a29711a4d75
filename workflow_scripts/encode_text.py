"""Prompts of classes and backgrounds in; their CLIP embeddings out."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from ssr.config import Backbone, Text
from ssr.running.programs import parser, run


def main(arguments: Namespace) -> None:
    """Encode all prompts in one batch."""
    from ssr.backbones.networks import choose_device, load_clip, load_tokenizer
    from ssr.backbones.text import encode_text

    clip = load_clip(arguments.backbone, choose_device(arguments.device))
    tokenizer = load_tokenizer(arguments.backbone)
    text = _with_backgrounds(arguments.text)
    encode_text(clip, tokenizer, text, arguments.classes).write(arguments.output)


def _with_backgrounds(text: Text) -> Text:
    from ssr.backbones.text import DEFAULT_BACKGROUNDS

    if text.backgrounds:
        return text
    names = ", ".join(DEFAULT_BACKGROUNDS)
    print(
        f"warning: text.backgrounds is empty; CAMs without backgrounds are poor, so these stand "
        f"in: {names}",
        file=sys.stderr,
    )
    return text.model_copy(update={"backgrounds": DEFAULT_BACKGROUNDS})


if __name__ == "__main__":
    flags = parser(__doc__, device=True)
    flags.add_argument("--backbone", type=Backbone.model_validate_json, required=True)
    flags.add_argument("--text", type=Text.model_validate_json, required=True)
    flags.add_argument("--classes", nargs="+", required=True)
    flags.add_argument("--output", type=Path, required=True)
    run(main, flags)
