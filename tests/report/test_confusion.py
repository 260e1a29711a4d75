import numpy as np
import pytest

from ssr.report.confusion import draw_confusion, shares
from ssr.report.evaluations import Evaluations

FIGURES = {
    "classes": ["background", "cat", "dog"],
    "confusion": [[90, 10, 0], [1, 3, 0], [0, 0, 0]],
}


def test_rows_are_shares_of_the_true_class() -> None:
    expected = [[0.9, 0.1, 0], [0.25, 0.75, 0], [np.nan] * 3]
    np.testing.assert_array_equal(shares(FIGURES), expected)


def test_shares_worth_a_figure_are_written() -> None:
    axes = draw_confusion(FIGURES).axes[0]
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {(0, 0): "90", (1, 0): "10", (0, 1): "25", (1, 1): "75"}
    assert [label.get_text() for label in axes.get_yticklabels()] == FIGURES["classes"]


def test_many_classes_are_named_without_figures() -> None:
    names = [f"class {number}" for number in range(81)]
    axes = draw_confusion({"classes": names, "confusion": np.eye(81)}).axes[0]
    assert not axes.texts
    assert len(axes.get_yticklabels()) == 81


def test_diagonal_is_the_recall(evaluations: Evaluations) -> None:
    figures = evaluations.of("ssr", "prediction")
    assert figures is not None
    recall = [own["recall"] for own in figures["per_class"].values()]
    assert np.diag(shares(figures)).tolist() == pytest.approx(recall)
