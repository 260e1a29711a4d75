"""Measure the demo's backbones on held-out scenes, against the gates they have to pass."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ssr.config import Backbone, Features, Text
from ssr.running.programs import existing, parser, run


def main(arguments: Namespace) -> None:
    """Draw held-out scenes, write the report."""
    from ssr.backbones.networks import load_clip, load_dino, load_tokenizer
    from ssr.backbones.text import encode_text
    from ssr.demo.vocabulary import CLASSES
    from ssr.pretraining.corpus import HELD_OUT, PROBED_WEB, open_corpus, write_corpus
    from ssr.pretraining.export import write_json
    from ssr.pretraining.gates import Scenes, measure_clip, measure_dino, read_scenes

    settings = {name: _shipped(arguments.backbones, name) for name in ("clip", "dino")}
    clip, dino = load_clip(settings["clip"], "cpu"), load_dino(settings["dino"], "cpu")
    texts = encode_text(clip, load_tokenizer(settings["clip"]), Text(), CLASSES)
    measured = {}
    for name, recipe in {"probed": PROBED_WEB, **HELD_OUT}.items():
        write_corpus(arguments.work / name, recipe, arguments.threads)
        scenes = Scenes.of(open_corpus(arguments.work / name), arguments.images)
        measured[name] = read_scenes(clip, dino, scenes, Features())
    report: dict[str, object] = {"images": arguments.images}
    for name in HELD_OUT:
        report[name] = {
            "clip": measure_clip(clip, texts, measured["probed"], measured[name]),
            "dino": measure_dino(measured[name]),
        }
    write_json(report, arguments.output)


def _shipped(folder: Path, name: str) -> Backbone:
    stem = str(folder / f"demo_{name}")
    return Backbone(model=f"{stem}.json", weights=f"{stem}.safetensors", sha256=None)


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--backbones", type=existing, default=Path("backbones"))
    flags.add_argument("--images", type=int, default=300, help="of each set")
    flags.add_argument("--work", type=Path, required=True, help="held-out scenes")
    flags.add_argument("--output", type=Path, required=True, help="report (.json)")
    run(main, flags)
