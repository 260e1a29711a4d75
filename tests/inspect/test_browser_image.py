"""The page of one image in a real Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import IN_CHROMIUM

pytestmark = IN_CHROMIUM


def boxes(page: Page) -> object:
    """Where the pictures lie in the window."""
    script = "all => all.map(one => one.getBoundingClientRect().toJSON())"
    return page.locator(".stages figure").evaluate_all(script)


def open_image(page: Page) -> Locator:
    """Open the first image; gives its first picture."""
    page.locator(".card").first.click()
    expect(page.locator("[data-stage=truth] canvas")).to_be_visible()
    expect(page.locator("[data-stage=refined_cam] small")).to_contain_text("IoU")
    return page.locator("[data-stage=image] .frame")


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_under_the_pointer(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    image = open_image(page)
    before = boxes(page)
    image.hover()
    expect(page.locator("[data-stage=truth] output")).not_to_be_empty()
    assert boxes(page) == before
    image.click()
    fused = page.locator(".affinities canvas").nth(2)
    expect(fused).to_be_visible()
    assert boxes(page) == before
    expect(fused).to_be_in_viewport()


def test_a_click_on_a_patch_shows_its_affinities(page: Page) -> None:
    image = open_image(page)
    box = image.bounding_box()
    assert box
    image.click(position={"x": box["width"] * 0.56, "y": box["height"] * 0.25})  # row 1, column 4
    expect(page.get_by_role("heading", name="Affinity of patch 12")).to_be_visible()
    expect(page.locator(".affinities canvas")).to_have_count(3)
    page.get_by_role("button", name="Row: whom it listens to").click()
    expect(page.get_by_role("button", name="Column: who listens to it")).to_be_visible()
    assert "patch=12" in page.url
    assert "mode=column" in page.url


def test_arrows_choose_a_patch_where_a_picture_has_the_focus(page: Page) -> None:
    open_image(page)
    truth = page.locator(".stages [data-stage=truth] canvas")
    truth.focus()
    for key, patch in (("ArrowUp", 28), ("ArrowUp", 20), ("ArrowLeft", 19)):
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=f"Affinity of patch {patch}")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open] figure")).to_have_attribute("data-stage", "truth")
    page.keyboard.press("Escape")
    expect(truth).to_be_focused()


def test_all_classes_are_shown_at_once(page: Page) -> None:
    open_image(page)
    page.get_by_label("Class", exact=True).select_option("all at once")
    expect(page.locator("[data-stage=refined_cam] b")).to_have_text("Refined CAM of all classes")
    page.locator("[data-stage=refined_cam] .frame").hover()
    expect(page.locator("[data-stage=refined_cam] output")).to_have_text(
        re.compile(r"cat \d\.\d\d, dog \d\.\d\d")
    )


def test_a_narrow_window_folds_the_controls_and_is_not_left(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    open_image(page)
    expect(page.get_by_label("Opacity")).to_be_hidden()
    page.get_by_role("button", name="Filters and view").click()
    expect(page.get_by_label("Opacity")).to_be_visible()
    page.get_by_role("button", name="Filters and view").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_two_methods_stand_in_one_grid_with_blanks(page: Page) -> None:
    open_image(page)
    page.get_by_label("Compare with").select_option("clip")
    expect(page.get_by_role("heading", name="Method clip")).to_be_visible()
    figures = page.locator(".compared figure")
    shown = figures.evaluate_all("all => all.map(one => [one.dataset.stage, one.offsetLeft])")
    assert shown[: len(shown) // 2] == shown[len(shown) // 2 :]  # a stage, a column
    blank = page.locator(".compared [data-stage=aligned_cam] .notice")
    expect(blank).to_have_text("method clip has no alignment")
    # The last that both have, though one has a prediction.
    title = page.locator(".compared [data-stage=difference] b").first
    expect(title).to_have_text("Difference: Pseudo-label")


def test_mistakes_have_colours_that_no_class_has(page: Page) -> None:
    open_image(page)
    described = page.evaluate("async () => (await fetch('describe.json')).json()")
    of_classes = {tuple(bytes.fromhex(colour[1:])) for colour in described["colours"]}
    chips = page.locator(".legend .chip").evaluate_all(
        "all => all.map(one => one.style.background.match(/\\d+/g).map(Number))"
    )
    of_mistakes = {tuple(colour) for colour in chips} - of_classes
    assert len(of_mistakes) == 4


def test_all_pictures_zoom_together_and_show_the_value_under_the_pointer(page: Page) -> None:
    page.locator(".card").first.click()
    expect(page.locator("[data-stage=difference] b")).to_have_text("Difference: Prediction + CRF")
    page.locator("[data-stage=refined_cam] .frame").hover()
    expect(page.locator("[data-stage=truth] output")).not_to_be_empty()
    page.mouse.wheel(0, -400)
    scales = page.locator("[data-stage] canvas").evaluate_all(
        "all => all.map(one => new DOMMatrix(getComputedStyle(one).transform).a)"
    )
    assert len(set(scales)) == 1
    assert scales[0] > 2


def test_keys_enlarge_pictures_and_go_from_image_to_image(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#which")).to_have_text("b")
    order = page.locator(".stages figure").evaluate_all("all => all.map(one => one.dataset.stage)")
    expect(page.locator("kbd")).to_have_text([str(number + 1) for number in range(9)])
    enlarged = page.locator("dialog[open] figure")
    for key, place in (("6", 5), ("ArrowRight", 6), ("2", 1)):
        page.keyboard.press(key)
        expect(enlarged).to_have_attribute("data-stage", order[place])
    address = page.url
    page.keyboard.press("Escape")
    expect(enlarged).to_have_count(0)
    page.goto("about:blank")
    page.goto(address)
    expect(enlarged).to_have_attribute("data-stage", order[1])
    page.keyboard.press("Escape")
    expect(enlarged).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#which")).to_have_text("a")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_have_count(4)


def test_the_threshold_is_drawn_at_once(page: Page) -> None:
    page.locator(".card").first.click()
    canvas = page.locator("[data-stage=refined_cam] canvas")
    expect(page.locator("[data-stage=truth] canvas")).to_be_visible()
    page.wait_for_load_state("networkidle")
    before = canvas.evaluate("one => one.toDataURL()")
    page.get_by_label("CAM threshold").fill("80")
    assert canvas.evaluate("one => one.toDataURL()") != before


def test_every_picture_has_a_text(page: Page) -> None:
    page.locator(".card").first.click()
    expect(page.locator("[data-stage=truth] canvas")).to_be_visible()
    assert page.locator("canvas:not([aria-label]), img:not([alt])").count() == 0


def test_an_image_says_what_is_never_made_of_it(chromium: Page, other: str) -> None:
    chromium.goto(f"{other}/#page=image&image=a&with=clip")
    expect(chromium.locator(".compared .notice")).to_have_text(
        [
            *["not run yet"] * 4,
            *["not made for split train"] * 2,
            "not run yet",
            *("method clip has no alignment", "not run yet", *["not made for split train"] * 2),
            *["method clip trains no segmenter"] * 2,
            "not made for split train",
        ]
    )
    chromium.locator("[data-stage=image] .frame").click()
    expect(chromium.get_by_text("No patch can be chosen: not run yet")).to_be_visible()
