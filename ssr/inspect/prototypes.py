"""The prototypes of a round: what lies nearest to each, and which classes its cluster holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ssr.alignment.heads import starting_heads
from ssr.alignment.prototypes import Prototypes
from ssr.alignment.samples import Samples
from ssr.alignment.trained import load_aligner
from ssr.artefacts.arrays import load_arrays
from ssr.backbones.text import TextEmbeddings
from ssr.config import Config
from ssr.config.coverage import why_never
from ssr.config.methods import method_config, owner
from ssr.inspect.overview import rounds
from ssr.results import MissingError, Results

_NEAREST_IMAGES = 12
_NEAREST_TEXTS = 3


def clusters(results: Results, method: str, round_: int) -> dict[str, Any]:
    """The clusters of images of a method's round, counted from 1; 0: the last.

    Cosines are those in the space in which the round was clustered, that of the heads of the round
    before; of samples as they are stored, pooled before ISA, also where what was clustered was not.
    Where CLIP's last block is trained, that is CLIP's own space.

    Raises:
        MissingError: the round has not run, or the method has no prototypes.
    """
    files = rounds(results, method)
    settings = method_config(results.config, method)
    if reason := _why_absent(results, method, round_, len(files)):
        raise MissingError(f"prototypes of method {method}", reason)
    path = files[(round_ or len(files)) - 1]
    samples = load_arrays(path, Samples, "cluster_prototypes")
    prototypes = load_arrays(path, Prototypes, "cluster_prototypes")
    heads = results.folder / "alignment" / owner(results.config, method, "heads")
    previous = heads / f"{int(path.stem) - 1}.safetensors"
    text = results.folder / "text" / owner(results.config, method, "text") / "embeddings.npz"
    names = TextEmbeddings.read(text).names.tolist()
    cosines = _cosines(previous if previous.exists() else None, settings, samples, prototypes)
    listed = [
        _cluster(index, *cosines, samples, prototypes, names)
        for index in range(len(prototypes.cluster_table))
    ]
    return {"round": int(path.stem), "purity": prototypes.purity, "clusters": listed}


def _why_absent(results: Results, method: str, round_: int, made: int) -> str | None:
    """Why a round of prototypes is not there, where so many are `made`; None: it is."""
    rounds_of_method = method_config(results.config, method).alignment.rounds
    if reason := why_never(results.config, method, "aligned_cam"):
        return reason
    if round_ > rounds_of_method:
        return f"method {method} has {rounds_of_method} rounds"
    if max(round_, 1) <= made:
        return None
    shared = owner(results.config, method, "heads")
    return results.why_unmade(f"prototypes/{shared}/{max(round_, 1)}")


@torch.no_grad()
def _cosines(
    previous: Path | None, settings: Config, samples: Samples, prototypes: Prototypes
) -> tuple[np.ndarray, np.ndarray]:
    """Of each image prototype (K+B) with the samples, (K+B, S), and with the texts, (K+B, T)."""
    features, texts = torch.from_numpy(samples.features), torch.from_numpy(prototypes.texts)
    centres = prototypes.image_prototypes
    if settings.alignment.trains == "last_block":
        return centres @ samples.features.T, centres @ prototypes.texts.T
    if previous:
        heads, _ = load_aligner(previous)
    else:
        heads = starting_heads(settings.alignment, samples, texts, settings.seed)
    return centres @ heads.image(features).numpy().T, centres @ heads.text(texts).numpy().T


def _cluster(
    index: int,
    to_samples: np.ndarray,
    to_texts: np.ndarray,
    samples: Samples,
    prototypes: Prototypes,
    names: list[str],
) -> dict[str, Any]:
    """One cluster: its class, its counts by class, and what is nearest to its prototype."""
    images, texts = (cosines[index].argsort()[::-1] for cosines in (to_samples, to_texts))
    members = images[prototypes.image_clusters[images] == index][:_NEAREST_IMAGES]
    counts = prototypes.cluster_table[index].tolist()

    def sample(row: int) -> list[Any]:
        """Image, text and cosine, and the class of the CAM that pooled it; 0: of no class."""
        label = int(samples.labels[row])
        shown = label + 1 if label < len(counts) else 0
        return [str(samples.images[row]), names[label], float(to_samples[index, row]), shown]

    return {
        "class": int(prototypes.cluster_classes[index]),
        "counts": counts,
        "texts": [[names[i], float(to_texts[index, i])] for i in texts[:_NEAREST_TEXTS].tolist()],
        "images": [sample(row) for row in members.tolist()],
    }
