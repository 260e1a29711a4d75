import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from ssr.config import Config
from ssr.report.charts import Charts, draw_charts
from ssr.report.evaluations import Evaluations
from ssr.report.features import read_features
from ssr.report.page import Run, result_tables, write_figures, write_page, write_tables
from tests.report.finished_run import FinishedRun


@pytest.fixture(scope="module")
def charts(run: Run) -> Charts:
    return draw_charts(run.evaluations, run.methods, run.histories)


@pytest.fixture(scope="module")
def page(run: Run, charts: Charts) -> str:
    return write_page(run, charts)


class Tags(HTMLParser):
    """Checks that tags are closed in the order in which they were opened."""

    VOID = ("meta", "img", "source", "link", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_well_formed(page: str) -> None:
    assert page.startswith("<!DOCTYPE html>")
    tags = Tags()
    tags.feed(page)
    assert tags.open == []


def test_page_needs_nothing_else(page: str) -> None:
    sources = re.findall(r'(?:src|srcset)="([^"]{0,40})', page)
    assert len(sources) > 30
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    links = re.findall(r'href="([^#"][^"]*)"', page)
    assert links == ["../summary.json", "figures/", "tables/", "provenance.json"]
    assert "<script" not in page
    assert "url(" not in page
    assert "@import" not in page


def test_every_picture_has_an_alternative_text(page: str) -> None:
    images = re.findall(r"<img [^>]*>", page)
    assert all(re.search(r'alt="[^"]+"', image) for image in images)


def test_charts_come_for_light_and_dark_pages(page: str, charts: Charts) -> None:
    drawn = [chart for group in charts.values() for chart in group]
    assert page.count('media="(prefers-color-scheme: dark)"') == len(drawn) == 6
    for chart in drawn:
        light, dark = (
            Image.open(BytesIO(png)).convert("L") for png in (chart.files["png"], chart.dark)
        )
        assert light.size == dark.size
        assert light.getpixel((0, 0)) > 200 > 100 > dark.getpixel((0, 0))


def test_without_masks_there_are_pictures_and_no_figures(run: Run) -> None:
    bare = replace(run, evaluations=Evaluations((), ()))
    page = write_page(bare, draw_charts(bare.evaluations, bare.methods, bare.histories))
    assert "Nothing was evaluated: the data set has no masks" in page
    targets = re.findall(r'<section id="([^"]+)"', page)
    assert targets == ["pictures", "training", "usage", "settings"]


def test_a_stage_that_is_not_made_for_a_split_says_so(run: Run, charts: Charts) -> None:
    (images,) = run.shown.values()
    without = [
        replace(image, labels={"pseudo_label": image.labels["pseudo_label"]}) for image in images
    ]
    page = write_page(replace(run, shown={"train": without}), charts)
    assert "Not shown: Prediction, Prediction + CRF (not made for split train)." in page
    assert "Not shown" not in write_page(run, charts)
    clip = write_page(replace(run, method="clip", shown={"val": without}), charts)
    assert "Not shown: Prediction, Prediction + CRF (method clip trains no segmenter)." in clip


def test_that_features_cannot_be_drawn_behind_a_tuned_block_is_said(
    run: Run, charts: Charts
) -> None:
    alignment = run.config.alignment.model_copy(update={"trains": "last_block"})
    tuned = run.config.model_copy(update={"alignment": alignment})
    page = write_page(replace(run, config=tuned), charts)
    section = re.search(r'<section id="embedding">.*?</section>', page, re.DOTALL)
    assert section
    assert "Not drawn: CMPA trains" in section[0]


def test_features_are_told_in_figures_also_where_nothing_was_evaluated(
    run: Run, charts: Charts, finished: FinishedRun, tmp_path: Path
) -> None:
    features = read_features(finished.prototypes, finished.heads)
    bare = replace(run, evaluations=Evaluations((), ()), features=features)
    page = write_page(bare, {**charts, "stages": [], "thresholds": [], "classes": []})
    section = re.search(r'<section id="embedding">.*?</section>', page, re.DOTALL)
    assert section
    assert "<caption>Cosine between text and images of each class" in section[0]
    write_tables(bare, tmp_path)
    header, first, *_ = (tmp_path / "cosines.csv").read_text().splitlines()
    assert header == "Class,Samples,Before,After,Others before,Others after"
    assert first.startswith("cat,8,")


def test_links_lead_to_sections(page: str) -> None:
    targets = re.findall(r'href="#([^"]+)"', page)
    assert targets == re.findall(r'<section id="([^"]+)"', page)
    assert targets == [
        "pictures", "stages", "ablation", "published", "thresholds", "classes", "training", "usage",
        "settings",
    ]  # fmt: skip


def test_page_says_what_was_run(page: str, finished: FinishedRun) -> None:
    assert "<h1>SSR on small</h1>" in page
    assert re.search(r"Method ssr, seed 0, settings [0-9a-f]{12}\.", page)
    assert re.search(r"Made [-\d]{10} [:\d]{5} UTC by SSR [.\d]+, .*\. The 6 jobs behind it", page)
    assert f"iterations: {finished.config.segmenter.iterations}" in page
    assert re.search(r"^torch \d", page, flags=re.MULTILINE)


def test_page_says_of_which_seed_the_pictures_are(run: Run, charts: Charts) -> None:
    config = Config.model_validate(run.config.model_dump() | {"seeds": (4, 1)})
    page = write_page(replace(run, config=config), charts)
    assert re.search(r"Method ssr, seeds 4, 1, settings [0-9a-f]{12}\. Pictures, .* seed 4\.", page)
    assert replace(run, config=config).methods == run.methods


def test_parts_without_content_are_no_section(run: Run, charts: Charts) -> None:
    bare = replace(run, usage=(), shown={})
    page = write_page(bare, {**charts, "training": []})
    sections = re.findall(r'<section id="([^"]+)"', page)
    assert {"pictures", "training", "usage"}.isdisjoint(sections)
    assert "thresholds" in sections


@pytest.mark.parametrize(
    ("form", "method", "shown"),
    [
        ("demo", "ssr", set()),
        ("voc", "ssr", {"segmentations", "seeds", "mistakes", "supervision"}),
        ("voc", "clip", {"seeds"}),
    ],
)
def test_published_tables_are_folded_where_nothing_of_ours_can_stand_beside_them(
    run: Run, charts: Charts, form: str, method: str, shown: set[str]
) -> None:
    data = run.config.data.model_copy(update={"format": form})
    config = run.config.model_copy(update={"data": data})
    page = write_page(replace(run, config=config, method=method), charts)
    published = page.partition('<section id="published">')[2].partition("</section>")[0]
    captions = re.findall(r"(<summary>.*?</summary>)?<div[^>]*><table><caption>(.*?)<", published)
    tables = {table.caption: name for name, table in result_tables(run).items()}
    assert len(captions) == 4
    assert {tables[caption] for folded, caption in captions if not folded} == shown


def test_figures_are_files_too(run: Run, charts: Charts, tmp_path: Path) -> None:
    write_figures(run, charts, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    drawn = (
        "stages", "thresholds", "classes", "confusion", "loss_alignment", "loss_segmenter",
        "segmentations_val", "cams_val", "refinement_val",
    )  # fmt: skip
    everywhere = {f"{name}.{suffix}" for name in drawn for suffix in ("png", "pdf", "svg")}
    assert names == everywhere | {"stages_a.png", "stages_b.png"}
    for path in tmp_path.glob("*.png"):
        Image.open(path).verify()


def test_tables_are_files_too(run: Run, tmp_path: Path) -> None:
    write_tables(run, tmp_path)
    names = {path.stem for path in tmp_path.iterdir()}
    assert names == {
        "stages", "classes", "ablation", "losses", "segmentations", "seeds", "mistakes",
        "supervision",
    }  # fmt: skip


# booktabs is no part of LaTeX's base; its rules take no width.
PAPER = r"""
\documentclass{article}
\usepackage{tabularx}
\let\toprule\hline \let\midrule\hline \let\bottomrule\hline
\begin{document}
\noindent %s
\end{document}
"""


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_tables_are_as_wide_as_a_column_of_a_paper(
    run: Run, seeded: Evaluations, finished: FinishedRun, tmp_path: Path
) -> None:
    features = read_features(finished.prototypes, finished.heads)
    full = replace(run, evaluations=seeded, features=features)
    names = [*result_tables(full)]
    write_tables(full, tmp_path)
    columns = [rf"\begin{{minipage}}{{237pt}}\input{{{name}}}\end{{minipage}}" for name in names]
    (tmp_path / "paper.tex").write_text(PAPER % "\n\n\\noindent ".join(columns))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "Overfull" not in done.stdout, done.stdout
