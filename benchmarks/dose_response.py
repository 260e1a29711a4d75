"""What CMPA and refinement add to CLIPs that learned words for patches from few images or many.

`docs/results.md`, "When the method pays", rests on it. The weights are those of
`benchmarks.dose_training`, with `shipped` for the demo's own CLIP. The confusions of every scene go
to `--counts`, a file for each CLIP; what is there is left as it is. `benchmarks.dose_table` reads
them.

`python -m benchmarks.dose_response --weights W --counts C --clips 0_0 10_0 100_0 shipped`
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch

from benchmarks.dose_scenes import (
    ALONE,
    SHIPPED,
    Attention,
    Cams,
    Judged,
    Second,
    Setting,
    Sight,
    clip_of,
    dinos,
    draw,
    look_beside,
    miou,
    read,
    tally,
)
from ssr.alignment.aligner import Aligner
from ssr.alignment.heads import starting_heads
from ssr.alignment.prototypes import make_prototypes
from ssr.alignment.samples import Samples, concatenate, pool_image
from ssr.alignment.training import LabelledSamples, Round
from ssr.backbones.text import TextEmbeddings
from ssr.cams.activation import Kind
from ssr.config import Alignment, Prototypes
from ssr.demo.vocabulary import CLASSES, SIDE
from ssr.pretraining.gates import attention_aucs, single_object_top1

SEEN, LEARNED, JUDGED = 880_002, 880_003, 880_004  # seeds of scenes: to choose, to learn, to judge
KINDS: tuple[Kind, ...] = ("similarity", "gradient")
LOSSES = ("cross_modal", "feature", "in_modal")
MASKS = ("none", "box", "superpixel")
LOOKS = 50, 150  # iterations
POOLED = Prototypes.model_validate({"unit_patches": True})  # as in the page's other tables
CHOSEN_FOR = ALONE, "last", SHIPPED
CHOICES: dict[str, list[Setting]] = {
    "none": [{"mask": "none", "power": power} for power in (1, 2)],
    "box": [
        {"mask": "box", "box_threshold": threshold, "power": power}
        for threshold, power in product((0.2, 0.4, 0.6), (1, 2))
    ],
    "superpixel": [
        {"high_confidence": high, "region_threshold": share, "patch_coverage": part, "power": power}
        for high, share, part, power in product((0.5, 0.7), (0.1, 0.3), (0.25, 0.5), (1, 2))
    ],
}


def pool(learned: Judged, cams: Cams) -> Samples:
    """What CMPA learns from, pooled under CAMs."""
    projected = learned.measured.patches @ learned.clip.visual.proj
    backgrounds = torch.from_numpy(learned.texts.backgrounds)
    labels = learned.measured.scenes.classes
    return concatenate(
        [
            pool_image(str(n), *one, backgrounds, len(CLASSES), POOLED)
            for n, one in enumerate(zip(projected, cams, labels, strict=True))
        ]
    )


def align(
    samples: Samples, texts: TextEmbeddings, loss: str, seed: int
) -> Iterator[tuple[int, Aligner]]:
    """Iterations done and the heads at the end of each round, with the demo's settings."""
    settings = Alignment.model_validate({"loss": loss, "stop": "last"})
    every = np.concatenate([texts.classes, texts.backgrounds])
    heads, done = starting_heads(settings, samples, torch.from_numpy(every), seed), 0
    for _ in range(settings.rounds):
        prototypes = make_prototypes(heads.eval(), samples, every, len(CLASSES), len(CLASSES), seed)
        data = LabelledSamples(samples, prototypes, loss)
        state = Round(heads, data, settings, seed, done)
        for _ in range(settings.iterations):
            state.step()
        done += settings.iterations
        yield done, copy.deepcopy(heads).eval().requires_grad_(False)


def seed_of(name: str) -> int:
    """Of a CLIP, and of CMPA's heads."""
    return 0 if name == SHIPPED else int(name.split("_")[1])


def facts(judged: Judged, attention: Mapping[str, Attention]) -> dict[str, float]:
    """Top-1 of images with one object; same-object AUCs behind Sinkhorn, CLIP's as `ALONE`."""
    measured, classes = judged.measured, torch.from_numpy(judged.texts.classes)
    projected = measured.patches @ judged.clip.visual.proj
    maps = {ALONE: measured.clip_attention.numpy(), **attention}
    return {"top1": single_object_top1(projected, classes, measured.scenes.classes)} | {
        name: attention_aucs(torch.from_numpy(each), measured.labels)["attention_auc_sinkhorn"]
        for name, each in maps.items()
    }


def choose(judged: Judged, beside: Second, cams: Cams, name: str) -> dict[str, Setting]:
    """The best settings of each mask for one attention."""
    chosen = {}
    for mask, settings in CHOICES.items():
        refined = (beside.refine(judged, cams, name, each) for each in settings)
        scores = [miou(tally(judged.measured.scenes, each)) for each in refined]
        chosen[mask] = settings[int(np.argmax(scores))]
    return chosen


def measure(name: str, arguments: argparse.Namespace, judged: Sight, seen: Sight | None) -> None:
    """Write the confusions (n, 11, 11) of all that is compared, by name, for one CLIP."""
    settings = clip_of(arguments.weights, name)
    here = read(settings, judged.scenes)
    learned = read(settings, arguments.learned) if arguments.learned else None
    told: dict[str, object] = {**facts(here, judged.beside.attention)}
    found = {}
    for kind in arguments.kinds:
        own = here.activate(kind)
        stages = {"initial": own} | refined_by_demo(here, judged.beside, own, "")
        if learned:
            for stage, heads in aligned(learned, kind, seed_of(name)):
                stages[stage] = here.activate(kind, heads)
            moved = stages[f"{LOSSES[0]}/{LOOKS[-1]}"]
            stages |= refined_by_demo(here, judged.beside, moved, "aligned/", (ALONE, SHIPPED))
        if seen and kind == KINDS[0]:
            there = read(settings, seen.scenes)
            other = there.activate(kind)
            for network in CHOSEN_FOR:
                for mask, setting in choose(there, seen.beside, other, network).items():
                    told[f"{network}/{mask}"] = setting
                    stages[f"chosen/{network}/{mask}"] = judged.beside.refine(
                        here, own, network, setting
                    )
        found |= {f"{kind}/{stage}": tally(judged.scenes, cams) for stage, cams in stages.items()}
    np.savez(arguments.counts / f"{name}.npz", facts=json.dumps(told), **found)


def aligned(learned: Judged, kind: Kind, seed: int) -> Iterator[tuple[str, Aligner]]:
    """Heads of every loss at every look."""
    samples = pool(learned, learned.activate(kind))
    for loss in LOSSES:
        for done, heads in align(samples, learned.texts, loss, seed):
            if done in LOOKS:
                yield f"{loss}/{done}", heads


def refined_by_demo(
    judged: Judged, beside: Second, cams: Cams, prefix: str, networks: Sequence[str] | None = None
) -> dict[str, Cams]:
    """CAMs refined with every attention and mask, the demo's settings."""
    return {
        f"{prefix}{network}/{mask}": beside.refine(judged, cams, network, {"mask": mask})
        for network in networks or (ALONE, *beside.attention)
        for mask in MASKS
    }


def look(count: int, seed: int, arguments: argparse.Namespace) -> Sight:
    """Scenes with all second networks."""
    scenes = draw(count, seed, arguments.side)
    return Sight(scenes, look_beside(scenes, dinos(arguments.weights, arguments.dinos)))


def main(arguments: argparse.Namespace) -> None:
    """Measure every CLIP of which there are no counts yet, in their order."""
    arguments.counts.mkdir(parents=True, exist_ok=True)
    judged = look(arguments.images, JUDGED, arguments)
    seen = look(arguments.seen, SEEN, arguments) if arguments.seen else None
    if arguments.learned:
        arguments.learned = draw(arguments.learned, LEARNED, arguments.side)
    for name in arguments.clips:
        if not (arguments.counts / f"{name}.npz").exists():
            measure(name, arguments, judged, seen)
            print(name, flush=True)


if __name__ == "__main__":
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--weights", type=Path, required=True)
    flags.add_argument("--counts", type=Path, required=True)
    flags.add_argument("--clips", nargs="+", required=True, help="dose in %% and seed, as 10_0")
    flags.add_argument("--side", type=int, default=SIDE, help="scenes are enlarged to it")
    flags.add_argument("--images", type=int, default=200, help="judged")
    flags.add_argument("--learned", type=int, default=400, help="scenes for CMPA; 0: no CMPA")
    flags.add_argument(
        "--seen", type=int, default=100, help="to choose settings on; 0: none chosen"
    )
    flags.add_argument("--dinos", nargs="*", default=["early", "middle", "last"])
    flags.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of CAMs")
    torch.set_num_threads(1)
    main(flags.parse_args())
