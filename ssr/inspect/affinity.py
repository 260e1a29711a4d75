"""Rows and columns of the affinity matrices of an image; the last few images are kept."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ssr.cams.refinement import image_affinity
from ssr.config.methods import method_config
from ssr.data.index import Image
from ssr.inspect.arrays import stored
from ssr.inspect.renewed import written
from ssr.results import MissingError, Results

# Each holds three matrices of N² numbers: 24 MB at 1,400 patches.
_KEPT = 4


class Affinities:
    """The affinities of CLIP and DINO, and what a method makes of both (Eq. 9)."""

    def __init__(self, results: Results) -> None:
        self._results = results
        # One for each of these, so that no other folder's results are found in it.
        self._matrices = lru_cache(maxsize=_KEPT)(self._read)

    def lines(self, image: Image, method: str, patch: int, column: bool) -> NDArray[np.float32]:
        """CLIP's, DINO's and the fused affinity of a patch, (3, h, w) float32.

        A row says to which patches it attends, a column which patches attend to it. The fused
        matrix is symmetric; zero where the method does not refine.

        Raises:
            MissingError: there are no features of the image, or it has no such patch.
        """
        store = self._results.place("features", method) / f"{image.shard}.zarr.zip"
        matrices, grid = self._matrices(image, method, written(store))
        if patch >= matrices.shape[1]:
            raise MissingError(f"patch {patch}", f"the image has {matrices.shape[1]}, from 0")
        lines = matrices[:, :, patch] if column else matrices[:, patch]
        return lines.reshape(3, *grid)

    def _read(
        self, image: Image, method: str, made: int | None
    ) -> tuple[NDArray[np.float32], list[int]]:
        """The matrices (3, N, N) and the patch grid (h, w); read anew where features are."""
        arrays = stored(self._results, image, method, "features")
        settings = method_config(self._results.config, method).refinement
        clip, dino = (
            arrays[name].astype(np.float32) for name in ("clip_attention", "dino_attention")
        )
        refines = settings.affinity != "none"
        fused = image_affinity(clip, dino, settings) if refines else np.zeros_like(clip)
        return np.stack([clip, dino, fused]), arrays["grid"].tolist()
