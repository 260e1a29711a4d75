"""Training goes on after a kill as if nothing had happened."""

import csv
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ssr.errors import InputError
from ssr.pretraining.clip import ClipTraining
from ssr.pretraining.corpus import Corpus, CorpusRecipe, open_corpus, write_corpus
from ssr.pretraining.dino import DinoTraining, build_dino, momentum
from ssr.pretraining.loop import cosine
from ssr.pretraining.mimetic import initialise_attention
from ssr.pretraining.positions import fix_positions
from ssr.pretraining.recipes import ClipRecipe, DinoRecipe
from ssr.pretraining.scenes import SceneClipLessons, SceneDinoLessons
from ssr.pretraining.segments import balanced_assignment
from ssr.running.checkpoints import Termination, newest
from tests.backbone_models import tiny_clip, tiny_dino

SHORT = {"crop_steps": 2, "scene_steps": 1, "crop_batch": 4, "scene_batch": 3}
CLIP = replace(ClipRecipe(), **SHORT)
DINO = replace(DinoRecipe(), **SHORT)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    directory = tmp_path_factory.mktemp("corpus")
    write_corpus(directory, CorpusRecipe(count=12, seed=1, correlation=0.1))
    return open_corpus(directory)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def train(name: str, corpus: Corpus, work: Path, stop_at: int | None = None) -> dict[str, Tensor]:
    """The weights after training, or resuming, a tiny model."""
    work.mkdir(exist_ok=True)
    training: ClipTraining | DinoTraining
    if name == "clip":
        training = ClipTraining(tiny_clip(work).model, SceneClipLessons(corpus, CLIP), CLIP)
    else:
        training = DinoTraining(tiny_dino(work).model, SceneDinoLessons(corpus, DINO), DINO)
    for _ in training.run(work, stop_at):
        pass
    return dict(training.model.state_dict())


@pytest.mark.parametrize("name", ["clip", "dino"])
def test_a_resumed_run_gives_the_same_weights(name: str, corpus: Corpus, tmp_path: Path) -> None:
    through = train(name, corpus, tmp_path / "through")
    train(name, corpus, tmp_path / "killed", stop_at=2)
    resumed = train(name, corpus, tmp_path / "killed")
    assert all(torch.equal(through[key], resumed[key]) for key in through)
    fresh = train(name, corpus, tmp_path / "fresh", stop_at=0)
    assert any(not torch.equal(through[key], fresh[key]) for key in through)


def test_a_signal_just_behind_the_check_waits_for_the_next_step(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = chain([False], repeat(True))
    monkeypatch.setattr(Termination, "requested", property(lambda _: next(asked)))
    with pytest.raises(SystemExit):
        train("clip", corpus, tmp_path)
    stored = newest(tmp_path)
    assert stored is not None
    assert stored["step"] == 2


def test_history_has_one_row_a_step(corpus: Corpus, tmp_path: Path) -> None:
    train("clip", corpus, tmp_path)
    with (tmp_path / "history.csv").open() as stream:
        header, *rows = list(csv.reader(stream))
    assert header[:2] == ["step", "loss"]
    assert [row[0] for row in rows] == ["1", "2", "3"]


def test_a_finished_corpus_is_left_alone(tmp_path: Path) -> None:
    recipe = CorpusRecipe(count=3, seed=1, correlation=0.1)
    write_corpus(tmp_path, recipe)
    before = (tmp_path / "images.npy").stat().st_mtime_ns
    write_corpus(tmp_path, recipe)
    assert (tmp_path / "images.npy").stat().st_mtime_ns == before


def test_rates_rise_and_then_fall() -> None:
    assert cosine(0, 1000, 100) < cosine(99, 1000, 100)
    assert cosine(100, 1000, 100) > cosine(999, 1000, 100)
    assert momentum(0, DINO) == pytest.approx(0.98)
    assert momentum(DINO.steps, DINO) == 1


def test_assignments_use_prototypes_evenly() -> None:
    logits = torch.randn(64, 8, generator=torch.Generator().manual_seed(0)) + torch.arange(8) / 10
    shares = balanced_assignment(logits, 0.5, rounds=20)
    assert torch.allclose(shares.sum(1), torch.ones(64), atol=1e-5)
    assert torch.allclose(shares.mean(0), torch.full((8,), 1 / 8), atol=1e-3)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_mimetic_attention_starts_as_an_affinity(sign: float) -> None:
    qkv, projection = torch.zeros(192, 64), torch.zeros(64, 64)
    generator = torch.Generator().manual_seed(0)
    initialise_attention(qkv, projection, 2, generator, sign)
    scores = sum(qkv[:64][h].T @ qkv[64:128][h] for h in (slice(0, 32), slice(32, 64)))
    values = projection @ qkv[128:]
    assert torch.as_tensor(scores).diagonal().mean() > 0.5
    assert sign * values.diagonal().mean() > 0.2


def test_a_model_without_a_square_grid_is_refused() -> None:
    with pytest.raises(InputError, match="came 2x3 patches, 7 tokens, width 8"):
        fix_positions(torch.zeros(7, 8), (2, 3), 1.0)


def test_a_transformer_with_other_positions_is_refused() -> None:
    with pytest.raises(InputError, match="eva02_tiny_patch14_224 is another kind"):
        build_dino("eva02_tiny_patch14_224", DINO)
