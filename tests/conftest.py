"""Tests run in several processes; those that share a costly run of the workflow stay together."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Folders whose tests share a run. The longest come first, or one process would be left alone with
# them at the end.
RUNS = ("tests/slurm/", "tests/workflow/miniature/")


def scope(test: str) -> str:
    """What stays in one process with a test: its folder, if it is one of `RUNS`, else its file."""
    return next((run for run in RUNS if test.startswith(run)), test.partition("::")[0])


class ByRun(LoadScopeScheduling):
    """The scheduler `loadscope` of pytest-xdist, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByRun:
    """Take `ByRun` for every `--dist`."""
    config.option.loadscopereorder = False
    return ByRun(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of `RUNS` come first."""
    items.sort(key=lambda item: [run == scope(item.nodeid) for run in RUNS], reverse=True)
