import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ssr.report.benchmarks import Usage
from ssr.report.provenance import Provenance
from ssr.running.machine import Machine

USAGES = [
    Usage("refine_cams", 2, 30.0, 20.0, 25.5, 400.0),
    Usage("index_dataset", 1, 0.25, 0.25, math.nan, math.nan),
    Usage("build_report", 1, 5.0, 5.0, 4.0, 300.0),
]
MADE = Provenance(
    made=datetime(2026, 3, 1, 9, 5, 7, tzinfo=UTC),
    version="1.2.3",
    commit="0123456789ab+",
    machine=Machine(2, 8 * 10**9, processor="Abacus"),
    jobs=3,
    seconds=3 * 3600 + 61.2,
    processor_seconds=59.6,
)


def test_jobs_are_added_up_but_for_the_last_run_of_the_report_itself() -> None:
    found = Provenance.here(USAGES)
    assert (found.jobs, found.seconds) == (3, 30.25)
    assert found.processor_seconds == 25.5, "as far as it was measured"


def test_it_is_of_this_moment_and_this_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssr.report.provenance.commit", lambda: "fedcba987654")
    before = datetime.now(UTC)
    found = Provenance.here(USAGES)
    assert before <= found.made <= datetime.now(UTC)
    assert found.commit == "fedcba987654"
    assert found.machine == Machine.here()


def test_it_is_told_in_words() -> None:
    assert str(MADE) == (
        "Made 2026-03-01 09:05 UTC by SSR 1.2.3, commit 0123456789ab+, on this machine: Abacus, 2 "
        "cores, 8 GB of memory, no GPU; jobs of a cluster may have run on others. The 3 jobs "
        "behind it took 3:01:01 of wall-clock time, added up, and 0:01:00 of processor time "
        "(h:mm:ss)."
    )
    assert "by SSR 1.2.3, not a checkout, on" in str(replace(MADE, commit=None))


def test_programs_read_it_as_json() -> None:
    assert json.loads(MADE.to_json()) == {
        "made": "2026-03-01T09:05:07+00:00",
        "version": "1.2.3",
        "commit": "0123456789ab+",
        "machine": {
            "cores": 2, "memory": 8 * 10**9, "gpu": None, "gpu_memory": 0, "processor": "Abacus",
        },
        "jobs": 3,
        "seconds": 3 * 3600 + 61.2,
        "processor_seconds": 59.6,
    }  # fmt: skip
