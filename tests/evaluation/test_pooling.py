"""Rows of several seeds as one, and which method stands where."""

import statistics
from typing import Any

import numpy as np
import pytest

from ssr.evaluation.evaluation import quality
from ssr.evaluation.pooling import pool, pooled, ratios_to_masks, standing
from tests.evaluation.test_table import row

CONFUSIONS = (
    np.array([[60, 20, 20], [5, 35, 0]]),
    np.array([[70, 10, 20], [9, 31, 0]]),
    np.array([[50, 30, 20], [40, 0, 0]]),
)


def rows() -> list[dict[str, Any]]:
    """One for each of three seeds; the last never finds the cat."""
    found = (quality(confusion, ["background", "cat"]) for confusion in CONFUSIONS)
    return [row("ssr", "refined_cam", **each, seed=seed) for seed, each in enumerate(found)]


def test_figures_of_seeds_become_their_mean_and_standard_deviation() -> None:
    made, each = pooled(rows()), [one["miou"] for one in rows()]
    assert made["miou"] == pytest.approx(np.mean(each))
    assert made["spreads"]["miou"] == pytest.approx(np.std(each, ddof=1))
    cat = [one["per_class"]["cat"]["iou"] for one in rows()]
    assert made["per_class"]["cat"]["iou"] == pytest.approx(np.mean(cat))
    assert made["confusion"] == sum(c[:, :2] for c in CONFUSIONS).tolist()
    assert (made["stage"], made["split"], made["images"]) == ("refined_cam", "val", 200)


def test_a_figure_that_a_seed_lacks_is_the_mean_of_the_others() -> None:
    given = rows()
    given[2]["confusion_ratio"] = None
    ratios = [one["confusion_ratio"] for one in given[:2]]
    made = pooled(given)
    assert made["confusion_ratio"] == pytest.approx(statistics.fmean(ratios))
    assert made["spreads"]["confusion_ratio"] == pytest.approx(statistics.stdev(ratios))
    assert made["never_right_classes"] == ["cat"]
    assert made["miou_given_labels"] is None
    assert "miou_given_labels" not in made["spreads"]


def test_one_seed_stays_as_it_is() -> None:
    only = rows()[0]
    assert pooled([only]) == only | {"spreads": {}}


def test_rows_of_a_summary_are_pooled_by_method_and_stage() -> None:
    made = pool([row("ssr", "initial_cam"), *rows(), row("clip", "refined_cam")])
    assert [(one["method"], one["stage"], bool(one["spreads"])) for one in made] == [
        ("ssr", "initial_cam", False),
        ("ssr", "refined_cam", True),
        ("clip", "refined_cam", False),
    ]


def compared(method: str, miou: float, low: float, high: float) -> dict[str, Any]:
    difference = {"to_method": "best", "to_stage": "refined_cam", "low": low, "high": high}
    return row(method, "refined_cam", miou=miou, differences=[difference])


def test_what_may_be_no_worse_than_the_best_is_told_from_what_is() -> None:
    best = row("best", "refined_cam", miou=0.8)
    near, worse = compared("near", 0.79, -0.02, 0.0), compared("worse", 0.7, -0.12, -0.08)
    equal, unknown = row("equal", "refined_cam", miou=0.8), row("other", "refined_cam", miou=0.5)
    empty = row("empty", "refined_cam", miou=None)
    found = standing([near, best, worse, equal, unknown, empty])
    assert found == {"near": False, "best": True, "equal": True}
    assert standing([best, equal]) == standing([best]) == standing([empty]) == {}


def test_what_learned_from_masks_is_a_bound_and_has_no_place() -> None:
    bound = row("fully_supervised", "refined_cam", miou=0.8, supervision="masks")
    seeds = [row("ssr", "refined_cam", miou=miou) for miou in (0.5, 0.7)]
    clip, other = row("clip", "refined_cam", miou=0.4), row("ssr", "prediction", miou=0.6)
    assert ratios_to_masks([*seeds, bound, clip, other]) == {
        ("ssr", "refined_cam"): pytest.approx(0.75),
        ("clip", "refined_cam"): pytest.approx(0.5),
    }
    assert standing([seeds[0], bound, clip]) == {"ssr": True}
    assert ratios_to_masks([*seeds, clip]) == {}
