"""Joint training (Eq. 12): L_proto + γ L_seg, on labels that CMPA's heads make as they learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ssr.alignment.online import OnlineAlignment
from ssr.artefacts.store import Shards
from ssr.backbones.last_block import LastBlock
from ssr.cams.activation import ImageScores, Kind
from ssr.cams.refinement import refine_image
from ssr.config import Labels, Refinement, Segmenter
from ssr.data.images import load_image
from ssr.data.index import Image
from ssr.labelling.pseudo_labels import label_pixels
from ssr.segmenter.micro_batches import SharedOptimiser


class JointOptimiser(SharedOptimiser):
    """Steps the heads of CMPA, too, at their own rate, on the sum of both losses.

    The segmenter's loss reaches the heads where the decoder adds to the patch-text map of theirs.
    """

    def __init__(
        self,
        optimiser: torch.optim.Optimizer,
        settings: Segmenter,
        device: torch.device,
        alignment: OnlineAlignment,
    ) -> None:
        own = alignment.settings
        heads = {"params": [*alignment.heads.parameters()], "lr": own.learning_rate}
        optimiser.add_param_group(heads | {"weight_decay": own.weight_decay})
        super().__init__(optimiser, settings, device)
        self._alignment = alignment
        self._gamma = settings.gamma

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Align, then leave the forward pass its heads as they are."""
        self._aligning = self._alignment.loss()
        with super().optim_context(model):
            yield

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The objective."""
        return self._aligning + self._gamma * super().scale_loss(loss)

    def state_dict(self) -> dict[str, Any]:
        """That of the optimiser, and the prototypes."""
        return {**super().state_dict(), "alignment": self._alignment.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a state."""
        state = dict(state_dict)
        self._alignment.restore(state.pop("alignment"))
        super().load_state_dict(state)


@dataclass(frozen=True)
class OnlineLabels:
    """Pseudo-labels of train images as the heads in `scores` see them at the moment.

    root: folder of the images; features, superpixels: what is stored of them; score, scores, clip:
    how maps are activated; threshold: background score.
    """

    images: Mapping[str, Image]
    root: Path
    features: Shards
    superpixels: Shards
    clip: LastBlock
    device: torch.device
    score: Kind
    scores: ImageScores
    refinement: Refinement
    labels: Labels
    threshold: float

    def read(self, image_id: str) -> np.ndarray:
        """(H, W) uint8: 0 background, classes, 255 ignored."""
        image = self.images[image_id]
        features = partial(self.features.read, image_id)
        superpixels = partial(self.superpixels.read, image_id)
        cams = self._activate(image.labels, features("tokens"), features("grid"))
        return label_pixels(
            refine_image(cams, features, superpixels, self.refinement),
            np.array(image.labels),
            (image.height, image.width),
            self.threshold,
            self.labels,
            load_image(self.root / image.image) if self.labels.crf else None,
        )

    def _activate(self, labels: Sequence[int], tokens: np.ndarray, grid: np.ndarray) -> np.ndarray:
        entering = torch.from_numpy(tokens).to(self.device)
        maps = self.scores.activate(self.score, self.clip, entering, labels)
        return maps.cpu().numpy().reshape(-1, *grid)
