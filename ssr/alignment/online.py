"""CMPA beside another training: its loss, one iteration after the other, and prototypes renewed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ssr.alignment.heads import AlignmentHeads
from ssr.alignment.prototypes import Prototypes, make_prototypes
from ssr.alignment.samples import Samples
from ssr.alignment.training import LabelledSamples, batch_rows
from ssr.config import Alignment


class OnlineAlignment:
    """L_proto of heads that whoever adds another loss to it trains.

    Prototypes are renewed behind as many iterations as a round has. Between the iterations the
    heads are in evaluation mode: the statistics of their batch normalisation are of samples alone.
    """

    def __init__(
        self,
        heads: AlignmentHeads,
        samples: Samples,
        prototypes: Prototypes,
        settings: Alignment,
        seed: int,
    ) -> None:
        """Begin with the `prototypes` of the `samples` as the `heads` align them now.

        `seed` is of the prototypes and of the order of samples.
        """
        self.heads = heads.requires_grad_(True).eval()
        self.settings = settings
        self.iteration = 0
        self._data = LabelledSamples(samples, prototypes, settings.loss)
        self._seed = seed

    def loss(self) -> Tensor:
        """The loss of the next iteration, a differentiable scalar."""
        if self.iteration and self.iteration % self.settings.iterations == 0:
            self._use(self._renewed())
        size = self.settings.batch_size
        rows = batch_rows(self.iteration, len(self._data), size, self._seed)
        self.heads.train()
        loss = self._data.loss(self.heads, rows)
        self.heads.eval()
        self.iteration += 1
        return loss

    def state(self) -> dict[str, Any]:
        """All that the next iteration depends on, besides the heads."""
        arrays = vars(self._data.prototypes).items()
        prototypes = {name: torch.from_numpy(array) for name, array in arrays}
        return {"iteration": self.iteration, "prototypes": prototypes}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.iteration = state["iteration"]
        self._use(Prototypes(**{name: each.numpy() for name, each in state["prototypes"].items()}))

    def _renewed(self) -> Prototypes:
        clusters, classes = self._data.prototypes.cluster_table.shape
        texts, samples = self._data.prototypes.texts, self._data.samples
        return make_prototypes(self.heads, samples, texts, classes, clusters, self._seed)

    def _use(self, prototypes: Prototypes) -> None:
        self._data = LabelledSamples(self._data.samples, prototypes, self._data.name)
