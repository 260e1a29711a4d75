"""The page in a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from ssr.results import Results
from workflow_scripts.draw_browser_pictures import FLAGS, served

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="chromium is missing: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address(results: Results) -> Iterator[str]:
    with served(results.folder) as found:
        yield found.rstrip("/")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1280, "height": 800})
        browser.close()


@pytest.fixture
def page(chromium: Page, address: str) -> Iterator[Page]:
    """The gallery, of which no script has failed in the end."""
    errors: list[object] = []

    def note(error: object) -> None:
        errors.append(error)

    chromium.on("pageerror", note)
    chromium.goto(f"{address}/")
    expect(chromium.locator(".card")).to_have_count(4)
    yield chromium
    chromium.goto("about:blank")
    chromium.remove_listener("pageerror", note)
    assert errors == []


def ids(page: Page) -> list[str]:
    return page.locator(".card b").all_inner_texts()


def test_the_gallery_is_filtered_by_class_and_id(page: Page) -> None:
    page.get_by_label("Class").select_option("cat")
    expect(page.locator(".card")).to_have_count(2)
    assert ids(page) == ["a", "b"]
    page.keyboard.press("/")
    page.keyboard.type("b")
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_have_count(1)
    address = page.url
    page.goto("about:blank")
    page.goto(address)  # a link shows the same again
    expect(page.locator(".card")).to_have_count(1)
    assert ids(page) == ["b"]


def test_the_gallery_is_sorted_by_what_a_stage_gains(page: Page) -> None:
    page.get_by_label("Sort by").select_option("gain")
    expect(page.locator(".score").first).not_to_be_empty()
    gains = [float(text) for text in page.locator(".score").all_inner_texts()]
    assert gains == sorted(gains)
    page.get_by_label("Order", exact=True).select_option("highest first")
    expect(page.locator(".score").first).to_have_text(f"{gains[-1]:+.1f}")


def test_a_stage_without_scores_is_not_run_yet(page: Page) -> None:
    page.get_by_label("Sort by").select_option("iou")
    page.get_by_label("Stage", exact=True).select_option("Prediction")
    expect(page.get_by_text("Prediction, method ssr: not run yet")).to_be_visible()


def test_confusion_pairs_are_counted_and_chosen(page: Page) -> None:
    page.get_by_label("Sort by").select_option("pair")
    expect(page.locator(".score").first).to_contain_text("→")
    page.get_by_label("Pair", exact=True).select_option(index=1)
    expect(page.locator(".score").first).to_contain_text("→")
    assert len({text.partition(":")[0] for text in page.locator(".score").all_inner_texts()}) == 1


def test_a_click_on_a_patch_shows_its_affinities(page: Page) -> None:
    page.locator(".card").first.click()
    image = page.locator("[data-stage=image] .frame")
    expect(image).to_be_visible()
    box = image.bounding_box()
    assert box
    image.click(position={"x": box["width"] * 0.56, "y": box["height"] * 0.25})  # row 1, column 4
    expect(page.get_by_role("heading", name="Affinity of patch 12")).to_be_visible()
    expect(page.locator(".affinities canvas")).to_have_count(3)
    page.get_by_role("button", name="Row: whom it listens to").click()
    expect(page.get_by_role("button", name="Column: who listens to it")).to_be_visible()
    assert "patch=12" in page.url
    assert "mode=column" in page.url


def test_two_methods_stand_side_by_side_and_what_is_missing_says_so(page: Page) -> None:
    page.locator(".card").first.click()
    page.get_by_label("Compare with").select_option("clip")
    expect(page.get_by_role("heading", name="Method ssr")).to_be_visible()
    expect(page.get_by_role("heading", name="Method clip")).to_be_visible()
    missing = page.locator("figure.missing")
    expect(missing.locator(".notice").first).to_have_text("not run yet")


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


def test_keys_enlarge_stages_and_go_from_image_to_image(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#which")).to_have_text("b")
    page.keyboard.press("6")
    expect(page.locator("figure.large")).to_have_attribute("data-stage", "refined_cam")
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


def test_prototypes_have_images_texts_and_a_table(page: Page) -> None:
    page.get_by_role("link", name="Prototypes").click()
    expect(page.locator("article")).to_have_count(3)
    expect(page.locator("article").first).to_contain_text("Nearest texts")
    expect(page.locator("tbody tr")).to_have_count(3)


def test_every_picture_has_a_text(page: Page) -> None:
    page.locator(".card").first.click()
    expect(page.locator("[data-stage=truth] canvas")).to_be_visible()
    assert page.locator("canvas:not([aria-label]), img:not([alt])").count() == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [("/../wrong/", 403), ("/..", 403), ("/image/..%2Fa", 404), ("/image/z", 404)],
)
def test_what_must_not_be_seen_is_refused(
    chromium: Page, address: str, path: str, status: int
) -> None:
    answer = chromium.goto(address + path)
    assert answer
    assert answer.status == status
