"""A real Chromium, for the tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from workflow_scripts.draw_browser_pictures import FLAGS

_CHROMIUM = shutil.which("chromium")
IN_CHROMIUM = [
    pytest.mark.slow,
    pytest.mark.skipif(not _CHROMIUM, reason="chromium is missing: apt-get install chromium"),
]


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
