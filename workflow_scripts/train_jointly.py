"""Samples, what is stored of images, and texts in; a segmenter, trained jointly with CMPA, out.

The labels of a crop are made when it is drawn: CAMs of its image as the heads see it then, refined.
Continues from the newest checkpoint.
"""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ssr.artefacts.store import open_shards
from ssr.config import AlignedCams, Alignment, Labels, Refinement
from ssr.data.index import Image, Index
from ssr.running.programs import existing, run
from workflow_scripts._train_segmenter import Lessons, segmenter_parser, train_on

if TYPE_CHECKING:
    from ssr.alignment.heads import AlignmentHeads
    from ssr.alignment.online import OnlineAlignment
    from ssr.segmenter.joint import OnlineLabels


def main(arguments: Namespace) -> None:
    """Train on labels that are made as the heads learn."""
    from ssr.segmenter.dataset import learned_from

    stored = open_shards(arguments.features)
    images = learned_from(Index.read(arguments.index).split("train"), stored, "features")
    alignment = _alignment(arguments)
    settings = (arguments.alignment, arguments.cams, arguments.refinement, arguments.labels)
    lessons = Lessons(
        images,
        _labels(images, alignment.heads, arguments).read,
        [
            *(arguments.prototypes, *arguments.features, *arguments.superpixels),
            *filter(None, [arguments.threshold_from]),
        ],
        [each.canonical() for each in settings],
        alignment,
    )
    train_on(lessons, arguments, "workflow_scripts.train_jointly")


def _alignment(arguments: Namespace) -> OnlineAlignment:
    """CMPA at its start, as the first round of the rule align_prototypes has it."""
    import torch

    from ssr.alignment.heads import starting_heads
    from ssr.alignment.online import OnlineAlignment
    from ssr.alignment.prototypes import Prototypes
    from ssr.alignment.samples import Samples
    from ssr.artefacts.arrays import load_arrays

    samples = load_arrays(arguments.prototypes, Samples, "cluster_prototypes")
    prototypes = load_arrays(arguments.prototypes, Prototypes, "cluster_prototypes")
    texts, seed = torch.from_numpy(prototypes.texts), arguments.seed
    heads = starting_heads(arguments.alignment, samples, texts, seed)
    return OnlineAlignment(heads, samples, prototypes, arguments.alignment, seed)


def _labels(images: list[Image], heads: AlignmentHeads, arguments: Namespace) -> OnlineLabels:
    from ssr.backbones.devices import choose_device
    from ssr.backbones.last_block import load_last_block
    from ssr.backbones.text import TextEmbeddings
    from ssr.cams.activation import ImageScores
    from ssr.evaluation.thresholds import label_threshold
    from ssr.segmenter.joint import OnlineLabels

    cams, device = arguments.cams, choose_device(arguments.device)
    texts = TextEmbeddings.read(arguments.text)
    return OnlineLabels(
        images={image.id: image for image in images},
        root=arguments.root,
        features=open_shards(arguments.features),
        superpixels=open_shards(arguments.superpixels),
        clip=load_last_block(arguments.backbone, device),
        device=device,
        score=cams.score,
        scores=ImageScores(texts, device, heads, cams.background, cams.gradient),
        refinement=arguments.refinement,
        labels=arguments.labels,
        threshold=label_threshold(arguments.labels.threshold, arguments.threshold_from).value,
    )


if __name__ == "__main__":
    flags = segmenter_parser(__doc__)
    flags.add_argument("--alignment", type=Alignment.model_validate_json, required=True)
    flags.add_argument("--prototypes", type=existing, required=True, help="of the first round")
    flags.add_argument("--cams", type=AlignedCams.model_validate_json, required=True)
    flags.add_argument("--features", type=existing, nargs="+", required=True, help="of train")
    flags.add_argument("--refinement", type=Refinement.model_validate_json, required=True)
    flags.add_argument("--superpixels", type=existing, nargs="+", required=True, help="of train")
    flags.add_argument("--labels", type=Labels.model_validate_json, required=True)
    flags.add_argument(
        "--threshold-from", type=existing, nargs="?", help="evaluation on tune; else a setting"
    )
    run(main, flags)
