"""The page in a real Chromium: the gallery, the prototypes, and what all pages share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, Route, expect

from ssr.results import Results
from ssr.running.claims import claim, this_run
from ssr.watching.jobs import Job
from ssr.watching.journal import Journal
from tests.browser import IN_CHROMIUM
from tests.made_up_results import copy_with
from workflow_scripts.draw_browser_pictures import served

pytestmark = IN_CHROMIUM


def look_now(page: Page) -> None:
    """Let the page look at once whether a run has made something."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def ids(page: Page) -> list[str]:
    return page.locator(".card b").all_inner_texts()


def test_the_gallery_is_filtered_by_class_and_id(page: Page) -> None:
    page.get_by_label("Class", exact=True).select_option("cat")
    expect(page.locator(".card")).to_have_count(2)
    assert ids(page) == ["a", "b"]
    page.keyboard.press("/")
    page.keyboard.type("b")  # as one types
    expect(page.locator(".card")).to_have_count(1)
    address = page.url
    page.goto("about:blank")
    page.goto(address)  # a link shows the same again
    expect(page.locator(".card")).to_have_count(1)
    assert ids(page) == ["b"]


def test_a_filter_that_nothing_passes_says_so_and_can_be_cleared(page: Page) -> None:
    page.get_by_label("Split").select_option("val")
    page.get_by_label("Search").fill("nothing like it")
    expect(page.get_by_text("No image passes the filters.")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(".card")).to_have_count(4)
    assert "split" not in page.url


def test_links_to_pages_keep_the_filters(page: Page) -> None:
    page.get_by_label("Search").fill("b")
    expect(page.locator(".card")).to_have_count(1)
    for name in ("Image", "Prototypes", "Gallery"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page.locator("[aria-current]")).to_have_text(name)
        assert "id=b" in page.url
    expect(page.locator(".card")).to_have_count(1)


@pytest.mark.parametrize("way", ["Escape", "back"])
def test_the_gallery_is_found_again_as_it_was_left(page: Page, way: str) -> None:
    page.set_viewport_size({"width": 420, "height": 460})
    last, scroller = page.get_by_role("link", name="Image d"), page.locator(".scroller")
    last.hover()
    place = scroller.evaluate("one => one.scrollTop")
    assert place > 0
    last.click()
    expect(page.locator("#which")).to_be_focused()
    page.go_back() if way == "back" else page.keyboard.press(way)
    expect(last).to_be_focused()
    assert scroller.evaluate("one => one.scrollTop") == place


def test_the_theme_outlives_a_reload(page: Page) -> None:
    page.get_by_role("button", name="Dark / light").click()
    page.reload()
    expect(page.locator(":root")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Dark / light").click()
    page.evaluate("localStorage.clear()")


def test_thumbnails_show_stages_and_differences(page: Page) -> None:
    pictures, notices = page.locator(".card canvas"), page.locator(".card .notice")
    for shown, told in (
        ("Ground truth", []),
        ("Refined CAM", ["the image has no class"]),
        ("Difference: Pseudo-label", []),
    ):
        page.get_by_label("Show").select_option(shown)
        expect(notices).to_have_text(told)
        expect(pictures).to_have_count(4 - len(told))
        expect(pictures.first).to_have_attribute("aria-label", f"{shown} of image a: cat, dog")
    page.get_by_label("Show").select_option("Prediction")
    page.get_by_label("Method").select_option("clip")
    expect(notices).to_have_text(["method clip trains no segmenter"] * 4)


def test_the_slider_sets_how_wide_pictures_are(page: Page) -> None:
    page.get_by_label("Size").fill("300")
    width = page.locator(".card").first.evaluate("one => one.offsetWidth")
    assert width == 300
    page.get_by_role("link", name="Image b").click()
    expect(page.get_by_label("Size")).to_have_value("300")


def test_cards_are_a_list_in_which_one_is_tabbed_to(page: Page) -> None:
    cards = page.get_by_role("list", name="Images").get_by_role("listitem")
    expect(cards).to_have_count(4)
    expect(cards.nth(1)).to_have_attribute("aria-posinset", "2")
    page.keyboard.press("ArrowRight")
    expect(cards.nth(1).get_by_role("link")).to_be_focused()
    assert page.locator(".card a[tabindex='0']").count() == 1


def test_what_means_nothing_in_an_address_is_left_out_and_told(page: Page, address: str) -> None:
    page.goto(f"{address}/#class=9&sort=iuo&opacity=x&clas=1&split=val")
    notices = page.locator(".notice")
    expect(notices).to_have_text(
        [
            "Left out of the address: clas: there is no such setting",
            "Left out of the address: class=9: it is one of 1, 2, 3",
            "Left out of the address: sort=iuo: it is one of index, iou, gain, pair",
            "Left out of the address: opacity=x: it is a whole number from 0 to 100",
        ]
    )
    expect(page.locator(".card")).to_have_count(4)
    assert page.url.endswith("#split=val&method=ssr")


def test_another_folder_shows_the_same_view(page: Page, address: str) -> None:
    page.get_by_label("Search").fill("b")
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_label("Results").select_option(index=1)
    page.wait_for_url(f"{address}/2/#*id=b*")
    expect(page.locator(".card")).to_have_count(1)


def test_a_run_that_has_not_indexed_its_images_is_waited_for(
    chromium: Page, results: Results, tmp_path: Path
) -> None:
    index = copy_with(results.folder, tmp_path) / "index/index.parquet"
    hidden = index.rename(index.with_name("hidden"))
    with served(index.parent.parent) as address:
        chromium.goto(address)
        expect(chromium.get_by_text("the index of the images: not run yet")).to_be_visible()
        hidden.rename(index)
        look_now(chromium)
        expect(chromium.locator(".card")).to_have_count(4)


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


def test_what_becomes_of_a_job_is_shown_without_a_reload(
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
        chromium.evaluate("document.querySelector('[data-stage=image] canvas').id = 'kept'")
        journal.started(job)
        look_now(chromium)
        expect(notice).to_contain_text("under way since 20")
        journal.failed(job, "", [])
        look_now(chromium)
        expect(notice).to_have_text(f"failed, log: {log}")
        assert notice.evaluate("one => one.scrollWidth <= one.clientWidth"), "the path is cut off"
        expect(chromium.locator("#kept")).to_be_visible()  # pictures don't flicker


def test_confusion_pairs_are_counted_and_chosen(page: Page) -> None:
    page.get_by_label("Sort by").select_option("pair")
    expect(page.locator(".score").first).to_contain_text("→")
    page.get_by_label("Pair", exact=True).select_option(index=1)
    expect(page.locator(".score").first).to_contain_text("→")
    assert len({text.partition(":")[0] for text in page.locator(".score").all_inner_texts()}) == 1


def test_prototypes_have_a_table_then_texts_and_cams(page: Page) -> None:
    page.get_by_role("link", name="Prototypes").click()
    expect(page.locator("article")).to_have_count(3)
    expect(page.locator("article").first).to_contain_text("Nearest texts")
    expect(page.locator("tbody tr")).to_have_count(3)
    assert page.locator("article ~ .scroll").count() == 0  # the table comes first
    first = page.locator(".nearest").first
    expect(first.locator("canvas").first).to_have_attribute("aria-label", re.compile("Initial CAM"))
    columns = first.evaluate("one => getComputedStyle(one).gridTemplateColumns.split(' ').length")
    assert columns == 6


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_in_the_table_stand_out(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.get_by_role("link", name="Prototypes").click()
    expect(page.locator("td").first).to_be_visible()
    contrast = page.evaluate(_LEAST_CONTRAST)
    page.emulate_media(color_scheme="null")
    assert contrast >= 4.5


# Of all cells of a table; a pixel of a canvas tells what a colour looks like on the page's.
_LEAST_CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = (...colours) => {
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    const [red, green, blue] = [...context.getImageData(0, 0, 1, 1).data].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const page = getComputedStyle(document.body).backgroundColor;
  return Math.min(...[...document.querySelectorAll("td")].map((cell) => {
    const {color, backgroundColor} = getComputedStyle(cell);
    const [one, other] = [light(page, backgroundColor), light(color)].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  }));
}"""


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
    chromium.goto("about:blank")  # lest the next page be told of it
