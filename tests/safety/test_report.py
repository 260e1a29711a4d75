"""A page of results whose classes, ids and splits are chosen to become tags."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ssr.artefacts.store import open_shards
from ssr.config import Config
from ssr.data.index import Index
from ssr.data.masks import Masks
from ssr.data.pngs import open_pngs
from ssr.report.charts import draw_charts
from ssr.report.evaluations import Evaluations, read_evaluations
from ssr.report.histories import find_histories
from ssr.report.look import FOLDER
from ssr.report.page import Run, write_figures, write_page
from ssr.report.provenance import Provenance
from ssr.report.shown import Stores, read
from ssr.report.stages import CAM_STAGES
from tests.report.finished_run import finish_run, small_config, small_scenes

SCRIPT = "<script>alert(1)</script>"
CLASSES = (SCRIPT, '"><img src=x onerror="alert(1)">', r"$\frac$")
IDS = ("<b onmouseover=alert(1)>", "' autofocus onfocus='alert(1)", "&lt;b&gt; {{ 7 * 7 }}", "$_^$")


class Tags(HTMLParser):
    """All tags and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    folder = tmp_path_factory.mktemp("evil")
    config = small_config(folder / "data", "ssr")
    data = config.data.model_copy(update={"classes": CLASSES})
    scenes = dict(zip(IDS, small_scenes().values(), strict=True))
    done = finish_run(folder, scenes, config.model_copy(update={"data": data}))
    for path in (done.results / "evaluation").rglob("*.json"):
        forged = path.read_text().replace('"split": "val"', f'"split": "{SCRIPT}"')
        path.write_text(forged.replace("ssr-sha256:", ""))
    cams = {stage: open_shards([done.store(f"cams/{stage}")]) for stage in CAM_STAGES}
    pngs = {
        "pseudo_label": open_pngs([done.store("pseudo_labels", ".zip")]),
        "prediction_crf": open_pngs([done.store("predictions", ".zip")]),
    }
    masks = Masks.read(done.results / "masks.parquet", done.root)
    superpixels, logits = (
        open_shards([done.store("superpixels")]),
        open_shards([done.store("logits")]),
    )
    stores = Stores(superpixels, cams, logits, pngs, masks)
    index = Index.read(done.results / "index.parquet")
    shown = {"val": [read(image, done.root, stores, Config()) for image in index.images]}
    evaluations = Evaluations(
        read_evaluations(done.pairs("val")), read_evaluations(done.pairs("tune"))
    )
    histories = find_histories(done.results, done.config)
    made = Provenance.here([])
    return Run(done.config, "ssr", index, evaluations, shown, [], histories, made), done.results


def test_nothing_in_the_page_becomes_a_tag(run: tuple[Run, Path]) -> None:
    results, folder = run
    charts = draw_charts(results.evaluations, results.methods, results.histories)
    page = write_page(results, charts)
    tags = Tags()
    tags.feed(page)
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    assert not {"script", "iframe", "object", "embed", "form"} & {tag for tag, _ in tags.seen}
    attributes = {name for _, own in tags.seen for name in own}
    assert not [name for name in attributes if name.startswith("on")]
    pictures = [own["src"] or "" for tag, own in tags.seen if tag == "img"]
    assert all(source.startswith("data:image/png;base64,") for source in pictures)
    write_figures(results, charts, folder / "figures")
    names = {path.name for path in (folder / "figures").iterdir()}
    assert {f"stages_{name}.png" for name in IDS} <= names


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_template_lets_a_value_pass_as_markup(path: Path) -> None:
    assert not re.search(r"\|\s*safe|autoescape|Markup", path.read_text())
