"""Pretrain the demo's small CLIP on procedural web scenes and write its weights.

Killed runs go on from the last checkpoint below --work. The model's JSON lands beside the weights.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from ssr.pretraining.clip import ClipRecipe, model_config, train_clip
from ssr.pretraining.corpus import WEB, open_corpus, write_corpus
from ssr.pretraining.export import write_clip, write_json


def main() -> None:
    """Read the command line, draw the corpus, train or resume, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="weights (.safetensors)")
    parser.add_argument("--work", type=Path, required=True, help="checkpoint and history")
    parser.add_argument("--corpus", type=Path, help="web scenes (default: web below --work)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="stop earlier than the recipe says")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = replace(ClipRecipe(), seed=arguments.seed)
    directory = arguments.corpus or arguments.work / "web"
    write_corpus(directory, WEB, arguments.threads)
    corpus = open_corpus(directory)
    model, identifiers = train_clip(corpus, recipe, arguments.work, arguments.steps)
    write_clip(model.state_dict(), identifiers, arguments.output)
    write_json(model_config(recipe), arguments.output.with_suffix(".json"))


if __name__ == "__main__":
    main()
