"""The time that is left, by what jobs cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ssr.watching.costs import START_SECONDS, Costs
from ssr.watching.jobs import Job

SHARD = Job(0, "refine_cams", "a", (), None, 1, 60.0, None)
OTHER = replace(SHARD, number=1, name="b")
TRAINING = Job(2, "train_segmenter", "", (), None, 8, 1000.0, None, frozenset({0, 1}))


def costs(*jobs: Job, slots: int = 2, threaded: bool = True) -> Costs:
    return Costs(jobs, slots, threaded)


def test_a_job_costs_what_is_expected_until_its_rule_was_measured() -> None:
    estimate = costs(SHARD, OTHER)
    assert estimate.left({0, 1}, {}) == pytest.approx(60)
    assert not estimate.known({1})
    estimate.measured(SHARD, 10)
    assert estimate.left({1}, {}) == pytest.approx(10)
    assert estimate.known({1})


def test_what_is_expected_is_scaled_by_how_fast_the_run_has_been() -> None:
    estimate = costs(SHARD, TRAINING)
    estimate.measured(SHARD, 120)
    assert estimate.left({2}, {}) == pytest.approx(2 * 1000 / 2)


def test_a_job_takes_no_less_than_its_start() -> None:
    assert costs(replace(SHARD, expected=0.0)).left({0}, {}) == START_SECONDS


def test_what_an_earlier_run_measured_comes_first() -> None:
    estimate = costs(SHARD, replace(OTHER, earlier=20.0))
    estimate.measured(SHARD, 10)
    assert estimate.left({1}, {}) == pytest.approx(20)


def test_what_a_running_job_has_taken_is_behind_it() -> None:
    assert costs(SHARD, OTHER).left({1}, {0: 45.0}) == pytest.approx(60)
    assert costs(SHARD, OTHER).left(set(), {0: 45.0}) == pytest.approx(15)
    assert costs(SHARD, OTHER).left(set(), {0: 99.0}) == 0


def test_threads_take_the_cores_of_others() -> None:
    jobs = SHARD, OTHER, TRAINING
    assert costs(*jobs).left({0, 1, 2}, {}) == pytest.approx(60 + 1000 / 2)
    assert costs(*jobs, slots=50).left({0, 1, 2}, {}) == pytest.approx(60 + 1000 / 8)


def test_a_cluster_waits_for_the_longest_chain_however_many_jobs_it_takes() -> None:
    jobs = SHARD, OTHER, TRAINING
    assert costs(*jobs, slots=50, threaded=False).left({0, 1, 2}, {}) == pytest.approx(1060)


def test_nothing_left_takes_no_time() -> None:
    assert costs().left(set(), {}) == 0
