"""Measure the demo's backbones on held-out scenes, against the gates they have to pass."""

import argparse
from pathlib import Path

import torch

from ssr.backbones import load_clip, load_dino, load_tokenizer
from ssr.config import Backbone
from ssr.pretraining.corpus import (
    HELD_OUT_USUAL,
    HELD_OUT_WEB,
    PROBED_WEB,
    open_corpus,
    write_corpus,
)
from ssr.pretraining.export import write_json
from ssr.pretraining.gates import Scenes, embed_names, measure_clip, measure_dino


def main() -> None:
    """Read the command line, draw held-out scenes, write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="report (.json)")
    parser.add_argument("--work", type=Path, required=True, help="held-out scenes")
    parser.add_argument("--backbones", type=Path, default=Path("backbones"))
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    folder = arguments.backbones
    settings = {
        name: Backbone(
            model=str(folder / f"demo_{name}.json"),
            weights=str(folder / f"demo_{name}.safetensors"),
            sha256=None,
        )
        for name in ("clip", "dino")
    }
    clip, dino = load_clip(settings["clip"], "cpu"), load_dino(settings["dino"], "cpu")
    texts = embed_names(clip, load_tokenizer(settings["clip"]))
    report: dict[str, object] = {"images": arguments.images}
    recipes = {"probed": PROBED_WEB, "web": HELD_OUT_WEB, "usual": HELD_OUT_USUAL}
    scenes = {}
    for name, recipe in recipes.items():
        write_corpus(arguments.work / name, recipe, arguments.threads)
        scenes[name] = Scenes.of(open_corpus(arguments.work / name), arguments.images)
    for name in ("web", "usual"):
        measured = measure_clip(clip, texts, scenes["probed"], scenes[name])
        report[name] = {"clip": measured, "dino": measure_dino(dino, scenes[name])}
    write_json(report, arguments.output)


if __name__ == "__main__":
    main()
