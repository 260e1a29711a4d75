"""Tests run in two processes: those that share a costly run of the workflow stay in one of them."""

from __future__ import annotations

import pytest

# The longest come first, or one process would be left alone with them at the end.
GROUPS = ("slurm", "mini_folder")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the group of every test; tests of one file share one."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: [group == _group(item) for group in GROUPS], reverse=True)


def _group(item: pytest.Item) -> str:
    shared = getattr(item, "fixturenames", ())
    return next((group for group in GROUPS if group in shared), item.path.name)
