"""The page in a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect, sync_playwright

from ssr.results import Results
from ssr.running.claims import claim, this_run
from ssr.watching.jobs import Job
from ssr.watching.journal import Journal
from tests.made_up_results import copy_with
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
def other(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of these results, image a is one of train, to which no stage has come."""
    train = {"split": "train", "shard": "train_0000"}
    copy = copy_with(results.folder, tmp_path_factory.mktemp("other"), a=train)
    with served(copy) as found:
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


def test_a_stage_that_a_method_does_without_has_no_scores(page: Page, address: str) -> None:
    page.goto(f"{address}/#sort=iou&method=clip&stage=aligned_cam")
    text = "Aligned CAM, method clip: method clip has no alignment, so there is nothing to sort by"
    expect(page.get_by_text(text)).to_be_visible()


def test_a_split_without_scores_says_which_has_some(chromium: Page, other: str) -> None:
    def without_a(route: Route) -> None:
        table = route.fetch().json()
        route.fulfill(json={name: values[1:] for name, values in table.items()})

    chromium.route("**/scores/**", without_a, times=1)
    chromium.goto(f"{other}/#sort=iou&split=train")
    text = "only images of split val are evaluated, so there is nothing to sort by"
    expect(chromium.get_by_text(text)).to_be_visible()


def test_an_image_says_what_is_never_made_of_it(chromium: Page, other: str) -> None:
    chromium.goto(f"{other}/#page=image&image=a&with=clip")
    notices = chromium.locator("section", has_text="Method ssr").locator(".notice")
    expect(notices).to_have_text(
        ["not run yet"] * 4 + ["not made for split train"] * 2 + ["not run yet"]
    )
    expect(chromium.get_by_text("method clip has no alignment, method clip trains")).to_be_visible()


def test_prototypes_of_a_method_without_alignment_are_not_waited_for(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/#page=prototypes&method=clip")
    expect(page.locator(".notice")).to_have_text("method clip has no alignment")


def test_a_damaged_store_and_a_missing_image_say_so(
    chromium: Page, results: Results, tmp_path: Path
) -> None:
    copy = copy_with(results.folder, tmp_path)
    store = copy / "cams/refined/ssr/val_0000.zarr.zip"
    store.write_bytes(store.read_bytes()[:-100])
    (tmp_path / "data/b.png").unlink()
    with served(copy) as address:
        chromium.goto(f"{address}#page=image&image=a")
        notice = chromium.locator("[data-stage=refined_cam] .notice")
        expect(notice).to_contain_text("run snakemake again to remake it")
        chromium.goto(f"{address}#page=image&image=b")
        expect(chromium.get_by_text("This can't be shown:")).to_contain_text("b.png")


def test_a_reload_shows_what_became_of_a_job(
    chromium: Page, results: Results, tmp_path: Path
) -> None:
    copy = copy_with(results.folder, tmp_path, a={"shard": "val_0001"})
    run = this_run()
    claim(copy, run)
    journal = Journal(copy, run, [])
    name = "results/small/cams/refined/ssr/val_0001.zarr.zip"
    log = "results/small/logs/refine_cams/ssr-val_0001.log"
    job = Job(1, "refine_cams", "ssr-val_0001", (name,), log, 1, 1.0, None)
    notice = chromium.locator("[data-stage=refined_cam] .notice")
    with served(copy) as address:
        chromium.goto(f"{address}#page=image&image=a")
        expect(notice).to_have_text("not run yet")
        journal.started(job)
        chromium.reload()
        expect(notice).to_contain_text("under way since 20")
        journal.failed(job, "", [])
        chromium.reload()
        expect(notice).to_have_text(f"failed, log: {log}")
        assert notice.evaluate("one => one.scrollWidth <= one.clientWidth"), "the path is cut off"


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
