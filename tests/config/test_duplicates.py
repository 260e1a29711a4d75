"""What is given twice is named, with all its places."""

from pathlib import Path

import pytest

from ssr.config.duplicates import repeated_keys, repeated_options
from tests import ROOT


def found(folder: Path, text: str, name: str = "my.yaml") -> list[str]:
    """What is said of a file, without its name."""
    path = folder / name
    path.write_text(text)
    said = list(repeated_keys(path))
    assert all(line.startswith(f"{path}: ") for line in said)
    return [line.removeprefix(f"{path}: ") for line in said]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("seed: 1\ndataset: x\nseed: 2\n", ["seed stands in lines 1 and 3"]),
        ("data: {root: x}\ndata:\n  masks: y\n", ["data stands in lines 1 and 2"]),
        ("data:\n  root: x\n  'root': y\n", ["data.root stands in lines 2 and 3"]),
        ("data: {root: x, root: y}\n", ["data.root stands in lines 1 and 1"]),
        (
            "methods:\n  a:\n    crf: {w: 1}\n    crf: {}\n",
            ["methods.a.crf stands in lines 3 and 4"],
        ),
        ("a: 1\na: 2\na: 3\n", ["a stands in lines 1 and 2", "a stands in lines 1 and 3"]),
        ("a: 1\nb: 1\na: 2\nb: 2\n", ["a stands in lines 1 and 3", "b stands in lines 2 and 4"]),
        ("a: [{b: 1, b: 2}]\n", ["a.b stands in lines 1 and 1"]),
    ],
)
def test_a_key_that_stands_twice_is_named_with_both_lines(
    tmp_path: Path, text: str, places: list[str]
) -> None:
    assert found(tmp_path, text) == [f"{place}; the last would count" for place in places]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data: {root: x}\ntext: {root: x}\n",
        "a: &a {b: 1}\nc: {<<: *a, b: 2}\n",
        "a: &a {b: 1}\nc: *a\nd: *a\n",
        "a: &a\n  b: *a\n",
        "a: [\n",  # the reader of the file says so
    ],
)
def test_what_stands_once_is_no_finding(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) == []


def test_json_is_read_too(tmp_path: Path) -> None:
    text = '{\n\t"data": {"root": "x"},\n\t"data": {"masks": "y"}\n}\n'
    assert found(tmp_path, text, "my.json") == [
        "data stands in lines 2 and 3; the last would count"
    ]


@pytest.mark.parametrize(
    "path",
    [ROOT / "config.yaml", *(ROOT / "config").glob("*.yaml"), *ROOT.glob("backbones/*.json")],
)
def test_what_is_shipped_stands_once(path: Path) -> None:
    assert list(repeated_keys(path)) == []


@pytest.mark.parametrize(
    ("command", "write"),
    [
        ("--configfile a.yaml --configfile b.yaml", "--configfile a.yaml b.yaml"),
        ("--configfile a -n --configfiles b c all", "--configfile a b c all"),
        ("--configfile=a --cores 2 --configfile=b", "--configfile a b"),
        ("--config seed=1 -C dataset=x", "--config seed=1 dataset=x"),
        ("--set-resources a:mem_mb=1 --set-resources b:mem_mb=1", "b:mem_mb=1"),
    ],
)
def test_an_option_of_which_the_last_would_count_is_named_with_what_to_write(
    command: str, write: str
) -> None:
    (said,) = repeated_options(command.split())
    assert said.endswith(write)
    assert "is given 2 times, the last would count" in said


@pytest.mark.parametrize(
    "command", ["", "-n all", "--configfile a b --config c=d e=f --profile x --profile y"]
)
def test_options_that_stand_once_are_no_finding(command: str) -> None:
    assert list(repeated_options(command.split())) == []
