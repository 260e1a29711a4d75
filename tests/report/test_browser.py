"""The page in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ssr.report.page import Run, write_page
from tests.browser import IN_CHROMIUM, launched

pytestmark = IN_CHROMIUM

WIDE, NARROW = (1280, 800), (390, 844)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(write_page(run, {}), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def page(request: pytest.FixtureRequest, chromium: Browser, address: str) -> Iterator[Page]:
    """The page in a window of that size, on a screen that can be touched."""
    width, height = request.param
    opened = chromium.new_page(viewport={"width": width, "height": height}, has_touch=True)
    opened.goto(address)
    yield opened
    opened.close()


def is_large(picture: Locator) -> bool:
    """Whether it is as large as the window lets it be."""
    box, page = picture.bounding_box(), picture.page.viewport_size
    assert box
    assert page
    return box["width"] > 0.9 * page["width"]


def test_a_picture_is_enlarged_by_key_and_keeps_the_focus(page: Page) -> None:
    picture = page.get_by_role("button", name="Refined CAM of cat, image a")
    picture.press("Enter")
    assert is_large(picture)
    page.keyboard.press("Escape")
    assert not is_large(picture)
    expect(picture).to_be_focused()


def test_a_picture_is_enlarged_and_made_small_by_touch(page: Page) -> None:
    picture = page.get_by_role("button", name="Image, image b")
    picture.tap()
    assert is_large(picture)
    picture.tap()
    assert not is_large(picture)


def test_the_links_to_the_sections_stay_on_top_and_hide_no_title(page: Page) -> None:
    links = page.get_by_role("navigation", name="Sections")
    links.get_by_role("link", name="Ablation").click()
    title = page.get_by_role("heading", name="Ablation").bounding_box()
    bar = links.bounding_box()
    assert title
    assert bar
    assert bar["y"] == 0
    assert bar["height"] < title["y"] < bar["height"] + 40
    assert links.evaluate("bar => bar.scrollHeight <= bar.clientHeight"), "a link is cut off"


def test_the_page_does_not_scroll_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
