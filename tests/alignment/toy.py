"""A joint space in which everything is known: class directions, and samples near them."""

import numpy as np
import torch

from ssr.alignment.image_labels import LabelledImages
from ssr.alignment.patches import PatchSamples
from ssr.alignment.prototypes import Vectors
from ssr.alignment.samples import Samples, pool
from ssr.backbones.last_block import LastBlock

CLASSES, BACKGROUNDS, DIMENSION = 3, 2, 16


def unit(vectors: np.ndarray) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def texts(seed: int = 0) -> Vectors:
    """Orthogonal unit texts of all classes and backgrounds."""
    square = np.random.default_rng(seed).standard_normal((DIMENSION, DIMENSION))
    return np.linalg.qr(square)[0][: CLASSES + BACKGROUNDS].astype(np.float32)


def samples(count: int = 60, noise: float = 0.05, seed: int = 1) -> Samples:
    """Samples scattered around the text of their label, every label equally often."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % (CLASSES + BACKGROUNDS)
    scattered = texts()[labels] + noise * random.standard_normal((count, DIMENSION))
    return Samples(np.array([f"{i:03}" for i in range(count)]), labels, unit(scattered))


def labelled_images(count: int = 20, patches: int = 12, seed: int = 2) -> LabelledImages:
    """Images with one class each, half of whose patches are scattered around its text."""
    random = np.random.default_rng(seed)
    labels = [(1 + number % CLASSES,) for number in range(count)]
    tokens = random.standard_normal((count, patches, DIMENSION)).astype(np.float32)
    for own, (label,) in zip(tokens, labels, strict=True):
        own[: patches // 2] += 10 * texts()[label - 1]
    return LabelledImages(labels, lambda row: torch.from_numpy(tokens[row]), texts(), CLASSES)


def patch_samples(count: int = 20, patches: int = 6, seed: int = 3) -> PatchSamples:
    """Images of two classes and a background, each shown by a third of the patches."""
    random = np.random.default_rng(seed)
    names = [f"{number:02}" for number in range(count)]
    classes = {name: (1 + n % CLASSES, 1 + (n + 1) % CLASSES) for n, name in enumerate(names)}
    shown = {name: [*(c - 1 for c in own), CLASSES] for name, own in classes.items()}
    tokens, weights = {}, torch.eye(3).repeat_interleave(patches // 3, 1)
    for name, labels in shown.items():
        own = texts()[np.repeat(labels, patches // 3)] * random.uniform(1, 9, (patches, 1))
        noise = 0.1 * random.standard_normal((patches, DIMENSION))
        tokens[name] = torch.from_numpy((own + noise).astype(np.float32))
    features = [pool(tokens[name], weights, unit_patches=True) for name in names]
    pooled = Samples(
        np.repeat(names, 3), np.concatenate([*shown.values()]), torch.cat(features).numpy()
    )
    return PatchSamples.of(pooled, classes, tokens.__getitem__, lambda _: weights)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def clip_block() -> LastBlock:
    """A last block of width 8, its weights random but always the same."""
    vision = {"width": 8, "head_width": 4, "mlp_ratio": 2.0}
    block = LastBlock({"embed_dim": DIMENSION, "vision_cfg": vision, "text_cfg": {}})
    with torch.no_grad():
        for number, parameter in enumerate(block.parameters()):
            parameter.copy_(drawn(*parameter.shape, seed=number) / 2)
    return block.eval().requires_grad_(False)


def stored_tokens(name: str) -> torch.Tensor:
    """Tokens of six patches behind a class token."""
    return drawn(7, 8, seed=int.from_bytes(name.encode()))


def block_samples() -> PatchSamples:
    """The images of `patch_samples`, but as the tokens that enter a last block."""
    found = patch_samples()
    return PatchSamples.of(found, found.classes, stored_tokens, found.weights)
