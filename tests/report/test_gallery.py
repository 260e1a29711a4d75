import re

import pytest

from ssr.config import Config
from ssr.data.index import Index
from ssr.report.gallery import gallery
from ssr.report.html import TEMPLATES
from ssr.report.sheet import draw_sheet
from ssr.report.shown import SIDE, ShownImage, Stores, read
from ssr.report.stages import PANELS
from tests.report.finished_run import FinishedRun

NAMES = ["background", "cat", "<dog>", "owl"]


def written(*images: ShownImage) -> str:
    """The table as HTML."""
    blocks = TEMPLATES.get_template("blocks.html").module
    return str(blocks.show_gallery(gallery(images, NAMES), "val"))


@pytest.fixture(scope="module")
def table(finished: FinishedRun, stores: Stores) -> str:
    images = Index.read(finished.results / "index.parquet").images
    return written(*(read(image, finished.root, stores, Config()) for image in images))


def test_every_picture_says_what_it_shows(table: str) -> None:
    alts = re.findall(r'<img src="data:image/png;base64,[^"]+" alt="([^"]+)">', table)
    assert len(alts) == table.count("<img")
    assert "Initial CAM of cat, image a" in alts
    assert "Ground truth, image d" in alts
    assert len(set(alts)) == len(alts)


def test_every_picture_is_enlarged_by_a_button_of_its_own(table: str) -> None:
    pictures = re.findall(
        r'id="([^"]+)" popover><button type="button" popovertarget="\1">\s<img ', table
    )
    assert len(pictures) == table.count("<img") == len(set(pictures))


def test_columns_are_the_stages(table: str) -> None:
    assert re.findall(r'<th scope="col">([^<]+)', table) == [title for title, _ in PANELS.values()]


def test_other_systems_stand_before_the_truth(
    finished: FinishedRun, stores_with_peers: Stores
) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    shown = read(first, finished.root, stores_with_peers, Config())
    columns = re.findall(r'<th scope="col">([^<]+)', written(shown))
    assert columns[-4:] == ["Prediction + CRF", "peer", "peer_seg", "Ground truth"]
    assert draw_sheet([shown], NAMES).shape[1] == (len(PANELS) + 2) * (SIDE + 6)


def test_what_shows_all_classes_spans_their_rows(table: str) -> None:
    first = table[table.index("<tbody>") : table.index("</tbody>")]
    assert first.count('rowspan="2"') == len(PANELS) - 4
    assert first.count("<tr>") == 3, "the legend and two classes"


def test_classes_that_are_not_in_the_image_are_marked(
    finished: FinishedRun, stores: Stores
) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    shown = read(first, finished.root, stores, Config())
    shown.labels["prediction"][:] = 3
    legend = re.findall(r"</span>([^<\n]+)", written(shown))
    assert {"cat", "owl (not in the image)", "background", "ignored"} <= set(legend)


def test_names_are_escaped(table: str) -> None:
    assert "&lt;dog&gt;" in table
    assert "<dog>" not in table


def test_stages_that_have_not_run_are_no_column(
    finished: FinishedRun, empty_stores: Stores
) -> None:
    first = Index.read(finished.results / "index.parquet").images[0]
    table = written(read(first, finished.root, empty_stores, Config()))
    assert re.findall(r'<th scope="col">([^<]+)', table) == ["Image"]
