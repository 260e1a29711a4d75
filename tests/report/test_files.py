import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ssr.report import files
from ssr.report.curves import theme
from ssr.report.tables import Table

TABLE = Table(
    "100 % of a_b",
    ("Row|x", "Ours & more", "Theirs"),
    (("a_b\\", "1.0", "2.0"), ('say "no"\nplease', "$5", "– →")),
    ("mind the #1",),
    published=frozenset({2}),
)


def test_a_table_for_a_terminal_is_aligned_and_its_notes_are_wrapped() -> None:
    table = Table("What", ("Row", "mIoU"), (("a", "7.0"), ("longer", "12.3")), ("note " * 30,))
    caption, _, *rows, _, first, second = files.to_text(table).splitlines()
    assert (caption, rows) == ("What", ["Row     mIoU", "a        7.0", "longer  12.3"])
    assert len(first) <= files.COLUMNS
    assert second.startswith("  note")


def test_a_figure_is_a_picture_and_curves_with_equal_bytes_each_time() -> None:
    def drawn() -> dict[str, bytes]:
        with theme(dark=False):
            figure = Figure()
            axes = figure.subplots()
            axes.plot(np.arange(3), label="a $ sign")
            axes.legend()
            return files.figure_files(figure, dpi=40)

    first = drawn()
    assert first == drawn()
    assert first["png"].startswith(b"\x89PNG")
    assert first["pdf"].startswith(b"%PDF")
    assert b"<svg" in first["svg"]
    assert b"<text" not in first["svg"], "letters are curves: no font is needed"
    assert b"CreationDate" not in first["pdf"]
    assert b"dc:date" not in first["svg"]


def test_a_figure_is_laid_out_once_for_all_formats_as_its_picture_would_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def figure() -> Figure:
        made = Figure(figsize=(3, 2), layout="constrained")
        made.subplots().set_ylabel("a label that takes room")
        return made

    expected = io.BytesIO()
    figure().savefig(expected, format="png", dpi=70, metadata={"Software": None})
    laid_out: list[Figure] = []
    execute = ConstrainedLayoutEngine.execute

    def counted(engine: ConstrainedLayoutEngine, made: Figure) -> object:
        laid_out.append(made)
        return execute(engine, made)

    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", counted)
    assert files.figure_files(figure(), dpi=70)["png"] == expected.getvalue()
    assert len(laid_out) == 1


def test_csv_holds_the_cells_as_they_are() -> None:
    assert list(csv.reader(io.StringIO(files.to_csv(TABLE)))) == [
        list(TABLE.header),
        *map(list, TABLE.rows),
    ]


def test_markdown_cells_stay_in_their_columns() -> None:
    assert files.to_markdown(TABLE).splitlines() == [
        r"**100 % of a\_b**",
        "",
        r"| Row\|x | Ours \& more | Theirs |",
        "| --- | ---: | ---: |",
        r"| a\_b\\ | 1.0 | 2.0 |",
        r'| say "no" please | \$5 | – → |',
        "",
        r"- mind the \#1",
    ]


def test_latex_is_escaped_and_published_columns_are_in_italics() -> None:
    assert files.to_latex(TABLE).splitlines() == [
        "% 100 % of a_b",
        "% mind the #1",
        r"{\footnotesize\setlength{\tabcolsep}{2pt}%",
        r"\begin{tabularx}{\columnwidth}{@{}>{\raggedright\arraybackslash}Xrr@{}}",
        r"\toprule",
        r"Row\textbar{}x & Ours \& more & \textit{Theirs} \\",
        r"\midrule",
        r"a\_\allowbreak{}b\textbackslash{} & 1.0 & \textit{2.0} \\",
        r'say "no" please & \$5 & \textit{-- $\rightarrow$} \\',
        r"\bottomrule",
        r"\end{tabularx}}",
    ]


def test_latex_has_the_columns_that_fit_below_short_headings() -> None:
    rows = files.to_latex(replace(TABLE, latex={0: "R", 2: "Paper"})).splitlines()
    assert rows[5] == r"R & \textit{Paper} \\"
    assert rows[7] == r"a\_\allowbreak{}b\textbackslash{} & \textit{2.0} \\"


SURE = Table(
    "Sure",
    ("Row", "mIoU", "Gain"),
    (
        ("a", "72.3 ± 0.4", "+1.5 [−0.2, 3.0]"),
        ("b", "70.1", "–"),
    ),
    best=frozenset({(0, 1)}),
    near=frozenset({(1, 1)}),
)


def test_csv_has_a_value_in_each_cell() -> None:
    assert list(csv.reader(io.StringIO(files.to_csv(SURE)))) == [
        ["Row", "mIoU", "mIoU, sd", "Gain", "Gain, low", "Gain, high"],
        ["a", "72.3", "0.4", "+1.5", "-0.2", "3.0"],
        ["b", "70.1", "", "", "", ""],
    ]


def test_the_best_is_bold_and_what_is_near_it_marked() -> None:
    assert files.to_markdown(SURE).splitlines()[4:] == [
        r"| a | **72.3 ± 0.4** | +1.5 \[−0.2, 3.0\] |",
        "| b | 70.1 ≈ | – |",
    ]
    assert files.to_latex(SURE).splitlines()[6:8] == [
        r"a & \textbf{72.3$_{\pm0.4}$} & +1.5$_{[-0.2,3.0]}$ \\",
        r"b & 70.1 $\approx$ & -- \\",
    ]


def test_tables_are_written_three_times(tmp_path: Path) -> None:
    files.write_table(TABLE, tmp_path, "stages")
    assert {path.name for path in tmp_path.iterdir()} == {"stages.csv", "stages.md", "stages.tex"}
