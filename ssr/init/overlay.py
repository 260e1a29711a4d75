"""The file of settings that is laid over config/photographs.yaml, as commented YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ssr.config import DEFAULT_METHODS, Data
from ssr.config.settings import flow
from ssr.config.shards import shard_doubts
from ssr.init.words import THEMES, backgrounds, prompt_of
from ssr.running.machine import Machine

BELOW = "config/photographs.yaml"
"""What the file is laid over, with a GPU or without: the settings and weights for photographs."""
# What photographs of VOC are predicted at; all settings were chosen on images of its size.
_LONGEST_SIDE = 512
_THRESHOLD = 0.5
# VOC's 30,000 iterations of 4 crops show each of its 10,582 images 11 times.
_PASSES, _BATCH = 11, 4
_FEWEST_ITERATIONS, _MOST_ITERATIONS = 400, 30_000
_CHECKPOINT_EVERY = 50
_SMALLEST_SHARD, _LARGEST_SHARD = 16, 128


def overlay(
    dataset: str, data: Mapping[str, Any], train: int, machine: Machine, commands: Sequence[str]
) -> str:
    """The text of the file.

    Args:
        dataset: name of the run.
        data: values of the section data, but for its shards.
        train: how many images are learned from.
        machine: on which it runs.
        commands: what to do with the file.
    """
    sections = (
        ["# Written by ssr init; edit it, then:", *(f"#   {line}" for line in commands)],
        [f"dataset: {flow(dataset)}  # results go to results/{dataset}/"],
        ["data:", *_data(data, train, machine)],
        [f"images: {{max_side: {_LONGEST_SIDE}}}  # larger ones are scaled down to it"],
        ["text:", *_text(data["classes"])],
        [_features(machine)],
        [_labels(data)],
        ["segmenter:", *_segmenter(train, machine)],
        ["methods:  # only the method itself, without its ablations"]
        + [f"  {name}: null" for name in DEFAULT_METHODS if name != "ssr"],
    )
    return "\n\n".join("\n".join(filter(None, lines)) for lines in sections if any(lines)) + "\n"


def _data(data: Mapping[str, Any], train: int, machine: Machine) -> Iterator[str]:
    comments = {
        "root": "as seen from here, where snakemake runs",
        "splits": "who learns (train), chooses the threshold (tune), gives the figures (val)",
        "tune_images": "of train, to choose the threshold",
        "masks": "for evaluation only: they choose the threshold and give the figures"
        if data["masks"]
        else "none: nothing is measured",
        "mask_colours": "what the colours of masks mean",
        "classes": "in the order of their index, from 1",
    }
    for name, value in data.items():
        comment = f"  # {comments[name]}" if name in comments else ""
        yield f"  {name}: {flow(value)}{comment}"
    each = _LARGEST_SHARD if machine.gpu else -(-train // machine.cores)
    size = min(max(each, _SMALLEST_SHARD), _LARGEST_SHARD)
    if any(shard_doubts(Data(shard_size=size), train)):
        yield "  shard_size: auto  # images per job: more, where there would be too many jobs"
    else:
        yield f"  shard_size: {size}  # images per job: every core has one"


def _text(classes: Sequence[str]) -> Iterator[str]:
    prompts = {name: words for name in classes if (words := prompt_of(name)) != name}
    yield f"  prompts: {flow(prompts)}  # class: words that say it better"
    yield "  # What is around the objects and is no class. Take out what no image shows; name"
    yield "  # what covers large areas. Words to choose from, by theme:"
    yield from (f"  #   {theme}: {words}" for theme, words in THEMES.items())
    yield f"  backgrounds: {flow(backgrounds(classes))}"


def _features(machine: Machine) -> str:
    return "features: {precision: float16}  # quicker on a GPU" if machine.gpu else ""


def _labels(data: Mapping[str, Any]) -> str:
    if data["masks"]:
        return "labels: {threshold: null}  # chosen on tune, by its masks"
    return (
        f"labels: {{threshold: {_THRESHOLD}}}  # lower it if objects come out too small, raise it "
        "if they spill over"
    )


def _segmenter(train: int, machine: Machine) -> Iterator[str]:
    iterations = min(max(_PASSES * train // _BATCH, _FEWEST_ITERATIONS), _MOST_ITERATIONS)
    yield (
        f"  iterations: {iterations}  # {_PASSES} passes over the images, as on VOC, but "
        f"{_FEWEST_ITERATIONS} at least"
    )
    if not machine.gpu:
        yield f"  checkpoint_every: {_CHECKPOINT_EVERY}  # iterations; they are slow without a GPU"
