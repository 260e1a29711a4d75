"""Guesses follow the model's judgement and the centre, and never name what is absent."""

import torch

from ssr.pretraining.strokes import guess_names

MIDDLE = torch.tensor([[0.0, 1.0, 1.0, 0.0]])


def present(*names: int) -> torch.Tensor:
    return torch.tensor([[name in names for name in range(3)]])


def test_without_judgement_the_centre_is_the_object() -> None:
    names = guess_names(torch.zeros(1, 4, 3), present(1, 2), 2, MIDDLE, 1.0, (0.5, 0.5))
    assert names.tolist() == [[2, 1, 1, 2]]


def test_a_clear_judgement_outweighs_the_centre() -> None:
    logits = torch.zeros(1, 4, 3)
    logits[0, 0, 1], logits[0, 1:, 1] = 9, -9
    names = guess_names(logits, present(1, 2), 2, MIDDLE, 0.1, (0.25, 0.75))
    assert names.tolist() == [[1, 2, 2, 2]]


def test_absent_classes_are_never_named() -> None:
    logits = torch.zeros(1, 4, 3)
    logits[..., 0] = 100
    names = guess_names(logits, present(1, 2), 2, MIDDLE, 0.0, (1.0, 0.5))
    assert 0 not in names


def test_patches_beyond_the_shares_stay_unknown() -> None:
    names = guess_names(torch.zeros(1, 4, 3), present(1, 2), 2, MIDDLE, 1.0, (0.25, 0.25))
    assert (names == -1).sum() == 2


def test_classes_share_the_objects_patches() -> None:
    logits = torch.zeros(1, 4, 3)
    logits[0, :2, 0] = logits[0, 2:, 1] = 5
    names = guess_names(logits, present(0, 1, 2), 2, torch.zeros(1, 4), 0.0, (1.0, 0.0))
    assert names.tolist() == [[0, 0, 1, 1]]
