"""Measure the demo's backbones on held-out scenes, against the gates they have to pass."""

import argparse
from pathlib import Path

import torch

from ssr.backbones import load_clip, load_dino, load_tokenizer
from ssr.config import Backbone, Features, Text
from ssr.demo.vocabulary import CLASSES
from ssr.pretraining.corpus import (
    HELD_OUT_USUAL,
    HELD_OUT_WEB,
    PROBED_WEB,
    open_corpus,
    write_corpus,
)
from ssr.pretraining.export import write_json
from ssr.pretraining.gates import Scenes, measure_clip, measure_dino, read_scenes
from ssr.text import encode_text


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
    texts = encode_text(clip, load_tokenizer(settings["clip"]), Text(), CLASSES)
    report: dict[str, object] = {"images": arguments.images}
    recipes = {"probed": PROBED_WEB, "web": HELD_OUT_WEB, "usual": HELD_OUT_USUAL}
    measured = {}
    for name, recipe in recipes.items():
        write_corpus(arguments.work / name, recipe, arguments.threads)
        scenes = Scenes.of(open_corpus(arguments.work / name), arguments.images)
        measured[name] = read_scenes(clip, dino, scenes, Features())
    for name in ("web", "usual"):
        report[name] = {
            "clip": measure_clip(clip, texts, measured["probed"], measured[name]),
            "dino": measure_dino(measured[name]),
        }
    write_json(report, arguments.output)


if __name__ == "__main__":
    main()
