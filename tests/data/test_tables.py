"""Tables of labels: everything in them is used, refused or told of."""

from pathlib import Path

import pytest

from ssr.data.findings import Findings
from ssr.data.tables import Row, Table, read_images, read_table, refuse_other_splits
from ssr.errors import InputError


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str, encoding: str = "utf-8") -> Table:
        (tmp_path / "l.csv").write_text(text, encoding=encoding)
        return read_table(tmp_path / "l.csv")

    return read


def problems(table: Table) -> str:
    findings = Findings()
    table.report("l.csv", findings)
    with pytest.raises(InputError) as error:
        findings.raise_problems("set")
    return str(error.value).partition("\n  ")[2]


@pytest.mark.parametrize(
    "header",
    ["image,split,labels", "Image, Split ,LABELS", "image,split,label", "image,split,labels,,"],
)
def test_the_header_is_read_as_people_write_it(read, header):
    rows = read(f"{header}\n a.png ,train, cat; ;dog;\n").rows
    assert rows == (Row("a.png", "train", ("cat", "dog"), ()),)


def test_columns_come_in_any_order_and_split_may_be_missing(read):
    table = read("labels,image\ncat,a.png\n\n,\n,b.png\n", "utf-8-sig")
    assert table.rows == (Row("a.png", None, ("cat",), ()), Row("b.png", None, (), ()))
    assert not table.divided


def test_short_lines_have_no_label(read):
    assert read("image,labels\na.png\n").rows == (Row("a.png", None, (), ()),)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("image,labels", "a.png,cat,dog"),
        ("image,labels,", "a.png,cat,dog"),
        ("image,labels,,", "a.png,cat,,dog"),
        ("image,,labels", "a.png,dog,cat"),
    ],
)
def test_a_cell_in_a_column_without_a_name_is_a_problem(read, header, row):
    """Spreadsheets pad the header with empty cells where a row is longer."""
    said = '1 × cell in a column without a name; labels share one cell, as "cat;dog": a.png (dog)'
    assert problems(read(f"{header}\n{row}\n")) == said


@pytest.mark.parametrize(
    "text",
    [
        "\n  \nimage,labels\na.png,cat;dog\n",
        ",,\nimage,labels,\na.png,cat;dog,\n",
        'image;labels\na.png;"cat;dog"\n',
        '"image";"labels"\n"a.png";"cat;dog"\n',
        "\n;;\nIMAGE; label\na.png;'cat;dog'\n".replace("'", '"'),
        "image\tlabels\na.png\tcat;dog\n",
        "image\tlabels\r\na.png\tcat;dog\r\n",
        "image,labels\ra.png,cat;dog\r",
    ],
)
def test_blank_lines_in_front_and_other_separators_are_understood(read, text):
    assert read(text).rows == (Row("a.png", None, ("cat", "dog"), ()),)


@pytest.mark.parametrize("header", [",image,labels", '"","image","labels"'])
@pytest.mark.parametrize("numbers", [("0", "1"), ("1", "2"), ("7", "3")])
def test_row_numbers_of_a_data_frame_are_no_cells_too_many(read, header, numbers):
    table, findings = read("{}\n{},a.png,cat\n{},b.png,dog\n".format(header, *numbers)), Findings()
    assert table.rows == (Row("a.png", None, ("cat",), ()), Row("b.png", None, ("dog",), ()))
    table.report("l.csv", findings)
    assert findings.warnings == [
        f"1 × column of l.csv that is not used: row number ({numbers[0]!r}, …)"
    ]


@pytest.mark.parametrize("cells", [("0", "0"), ("cat", "dog"), ("0", "")])
def test_a_first_column_without_a_name_that_numbers_nothing_is_a_problem(read, cells):
    table = read(",image,labels\n{},a.png,cat\n{},b.png,dog\n".format(*cells))
    said = problems(table)
    assert "cell in a column without a name" in said
    assert f"a.png ({cells[0]})" in said


def test_labels_that_are_parted_as_cells_are_a_problem(read):
    assert "without a name" in problems(read("image;labels\na.png;cat;dog\n"))


def test_a_column_that_means_nothing_is_told_of(read, tmp_path):
    table, findings = read("image,labels,note,empty\na,cat,blurred,\n"), Findings()
    refuse_other_splits(tmp_path / "l.csv")
    table.report("l.csv", findings)
    assert findings.warnings == ["1 × column of l.csv that is not used: note ('blurred', …)"]


@pytest.mark.parametrize(
    ("column", "values"),
    [("subset", "xy"), ("Partition", "xy"), ("fold", "12"), ("phase", ["Train", "valid"])],
)
def test_a_division_under_another_name_is_refused(read, tmp_path, column, values):
    read(f"image,labels,{column}\na,cat,{values[0]}\nb,cat,{values[1]}\n")
    said = rf"the column {column.lower()} \({values[0]}, {values[1]}\) is not read; call it split"
    with pytest.raises(InputError, match=said):
        refuse_other_splits(tmp_path / "l.csv")


@pytest.mark.parametrize(
    "text",
    [
        "split,image,labels\ntrain,a.png,cat\n\nval, b.png\n,c.png,dog\n",
        "\nimage;labels\na.png;cat\n",
    ],
)
def test_images_alone_are_those_of_the_whole_table(read, tmp_path, text):
    rows = read(text).rows
    assert [*read_images(tmp_path / "l.csv")] == [(row.image, row.split) for row in rows]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("image,labels,labels", r"names labels twice \(image,labels,labels\)"),
        ("image,label,Labels", r"names labels twice \(image,label,Labels\)"),
        ("image,labels,split,split", "names split twice"),
        ("image,labels,note,note", "names note twice"),
        ("name,labels", "missing: image; came name,labels"),
        ("image|labels", "parted by commas, semicolons or tabs; missing: .*; came image\\|labels"),
        ("\n\nname,label", r"l\.csv:3: the header must name"),
    ],
)
def test_a_header_that_can_not_be_understood_is_refused(read, header, said):
    with pytest.raises(InputError, match=said):
        read(f"{header}\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('image,labels\na,"cat\nb,dog\n', 2),
        ('image,labels\n\na,cat\nb,"dog\nc,"cat"\n', 4),
        ('image,labels\na,"cat\ndog"\nb,"cat\n', 4),
        ('image,"labels\na,cat\n', 1),
        ('image,labels\na,"cat\n' + 50_000 * "b,dog\n", 2),
    ],
)
def test_a_quotation_mark_that_swallows_lines_is_refused_with_its_line(read, text, line):
    with pytest.raises(InputError, match=rf"l\.csv:{line}: .*; a quotation mark that opens"):
        read(text)


def test_a_file_of_a_single_endless_line_is_refused(read):
    with pytest.raises(InputError, match=r"l\.csv:1: field larger than field limit"):
        read(200_000 * "x")
