"""A joint space in which everything is known: class directions, and samples near them."""

import numpy as np

from ssr.alignment.prototypes import Vectors
from ssr.alignment.samples import Samples

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
