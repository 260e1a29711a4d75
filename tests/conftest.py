"""Tests run in several processes, the longest first; those on SLURM stay in one of them."""

from __future__ import annotations

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from ssr.running.garbage import search_seldom

# Each process of the tests has a core: two threads in each would mostly wait for one another. Those
# of the programs that they start wait without keeping a core busy.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
search_seldom()

SLURM = "tests/slurm/"

# In this order, or one process would be left alone with them at the end.
LONGEST = (
    SLURM,
    "tests/workflow/miniature/test_faults.py",
    "tests/workflow/test_own_folder.py",
    "tests/workflow_scripts/test_train_segmenter.py",
    "tests/workflow/miniature/",
)


class ByFile(LoadScopeScheduling):
    """The scheduler `loadscope` of pytest-xdist, by file, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return SLURM if nodeid.startswith(SLURM) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Take `ByFile` for every `--dist`."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of `LONGEST` come first."""
    items.sort(key=lambda item: [item.nodeid.startswith(each) for each in LONGEST], reverse=True)
