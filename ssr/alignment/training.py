"""One round of CMPA: training towards fixed prototypes, resumable at any iteration.

Under the cross-modal loss images move to where the texts were and texts to where the images were at
the start of the round. They meet half-way if the round is short or the learning rate low; otherwise
they pass each other, and the aligned space falls apart.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ssr.alignment.aligner import Aligner
from ssr.alignment.losses import LOSSES, Batch
from ssr.alignment.prototypes import Indices, Prototypes, Vectors
from ssr.alignment.samples import Samples
from ssr.artefacts.files import replacing
from ssr.config import Alignment
from ssr.running import checkpoints
from ssr.running.checkpoints import Termination
from ssr.running.event_files import event_file

COLUMNS = ("iteration", "loss", "temperature")
SAVE_EVERY = 500


class TrainingSet(Protocol):
    """What a round learns from."""

    def __len__(self) -> int:
        """Rows: samples, or images."""

    def loss(self, aligner: Aligner, rows: Indices) -> Tensor:
        """A differentiable scalar, of these rows."""


@dataclass(frozen=True)
class LabelledSamples:
    """Samples and the prototypes that a loss of `LOSSES`, named `name`, pulls them to."""

    samples: Samples
    prototypes: Prototypes
    name: str

    def __len__(self) -> int:
        """Samples."""
        return len(self.samples.labels)

    def loss(self, aligner: Aligner, rows: Indices) -> Tensor:
        """The loss of the samples `rows`."""
        return LOSSES[self.name](make_batch(aligner, self, rows))


class Round:
    """The state of one round: aligner, optimiser, iterations done and the history of losses.

    `kept` holds the state of the aligner at every look before the round's end, the one at which the
    first round starts included, by iterations since then; none unless `stop` is "tune".
    """

    def __init__(
        self, aligner: Aligner, data: TrainingSet, settings: Alignment, seed: int, before: int
    ) -> None:
        """Start a round with `aligner`, which it trains in place.

        `seed` orders the samples; `before` counts the iterations of earlier rounds.
        """
        self.before = before
        self.aligner = aligner.requires_grad_(True)
        self.data = data
        self.settings = settings
        self.seed = seed
        self.iteration = 0
        self.history: list[tuple[int, float, float]] = []
        self.optimiser = torch.optim.AdamW(
            aligner.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.looks = look_points(settings, first=before == 0)
        self.kept: dict[int, dict[str, Tensor]] = {}
        self._keep()

    def step(self) -> None:
        """One iteration."""
        number, size = self.before + self.iteration, self.settings.batch_size
        rows = batch_rows(number, len(self.data), size, self.seed)
        self.aligner.train()
        loss = self.data.loss(self.aligner, rows)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.iteration += 1
        self.history.append((self.iteration, loss.item(), self.aligner.temperature.item()))
        self._keep()

    def _keep(self) -> None:
        if self.iteration in self.looks:
            state = self.aligner.state_dict().items()
            self.kept[self.before + self.iteration] = {name: value.clone() for name, value in state}

    def state(self) -> dict[str, Any]:
        """All that the next iteration depends on; the order of samples needs only its number."""
        return {
            "aligner": self.aligner.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "iteration": self.iteration,
            "history": self.history,
            "kept": self.kept,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.aligner.load_state_dict(state["aligner"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.iteration = state["iteration"]
        self.history = state["history"]
        self.kept = state["kept"]


def look_points(settings: Alignment, first: bool) -> set[int]:
    """Iterations of a round after which its aligner is kept, so that the best can be chosen.

    They and the round's end stand at equal distances; the `first` round's start is one of them.
    """
    if settings.stop == "last":
        return set()
    points = {settings.iterations * part // settings.looks for part in range(settings.looks)}
    return points if first else points - {0}


def batch_rows(iteration: int, samples: int, size: int, seed: int) -> Indices:
    """The samples of an iteration, or images: consecutive parts of each epoch's permutation.

    A function of its arguments alone, so that a resumed run needs no state of a sampler. At most
    `samples` rows; what does not fill a batch at the end of an epoch is left out.
    """
    size = min(size, samples)
    epoch, part = divmod(iteration, samples // size)
    order = np.random.default_rng([seed, epoch]).permutation(samples)
    return order[part * size : (part + 1) * size]


def make_batch(aligner: Aligner, data: LabelledSamples, rows: Indices) -> Batch:
    """Forward the samples `rows`; every text is aligned once, however often it occurs."""
    labels, prototypes = data.samples.labels[rows], data.prototypes

    def tensor(values: Vectors | Indices) -> Tensor:
        return torch.from_numpy(values).to(aligner.device)

    return Batch(
        image=data.samples.aligned(aligner, rows),
        text=aligner.text(tensor(prototypes.texts))[tensor(labels)],
        image_prototypes=tensor(prototypes.image_prototypes),
        text_prototypes=tensor(prototypes.text_prototypes),
        image_clusters=tensor(prototypes.image_clusters[rows]),
        text_clusters=tensor(prototypes.text_clusters[labels]),
        temperature=aligner.temperature,
    )


def train(state: Round, work: Path, save_every: int = SAVE_EVERY) -> Iterator[int]:
    """Run the round to its end, from the newest checkpoint in `work`; yields iterations done.

    A kill loses at most `save_every` iterations. A SIGTERM or SIGUSR1 loses none: the
    state is saved and the process exits with 128 and the number of the signal.
    """
    if found := checkpoints.newest(work):
        state.restore(found)
    termination = Termination()
    earlier = (dict(zip(COLUMNS, row, strict=True)) for row in state.history)
    with termination.awaited(), event_file(work, earlier) as add:
        while state.iteration < state.settings.iterations:
            state.step()
            add(dict(zip(COLUMNS, state.history[-1], strict=True)))
            stopping = termination.requested  # once: a signal may come while this is saved
            if stopping or state.iteration % save_every == 0:
                checkpoints.save(work, state.iteration, state.state())
            if stopping:
                termination.leave()
            yield state.iteration


def write_history(path: Path, history: list[tuple[int, float, float]]) -> None:
    """Loss and temperature of every iteration as CSV."""
    with replacing(path) as temporary, temporary.open("w", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *history])
