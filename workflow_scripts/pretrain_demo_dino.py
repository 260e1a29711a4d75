"""Pretrain the demo's small DINO on procedural web scenes and write its weights.

Killed runs go on from the last checkpoint below --work. The model's JSON lands beside the weights.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from ssr.pretraining.corpus import WEB, open_corpus, write_corpus
from ssr.pretraining.dino import DinoRecipe, model_description, train_dino
from ssr.pretraining.export import write_dino, write_json


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
    recipe = replace(DinoRecipe(), seed=arguments.seed)
    directory = arguments.corpus or arguments.work / "web"
    write_corpus(directory, WEB, arguments.threads)
    model = train_dino(open_corpus(directory), recipe, arguments.work, arguments.steps)
    write_dino(model.state_dict(), arguments.output)
    write_json(model_description(recipe), arguments.output.with_suffix(".json"))


if __name__ == "__main__":
    main()
