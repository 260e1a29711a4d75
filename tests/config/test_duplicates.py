"""What is given twice is named, with all its places."""

import argparse
import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser

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


OPTIONS = get_argument_parser()._actions


def said_of(command: str, options: Iterable[argparse.Action] = OPTIONS) -> list[str]:
    return list(repeated_options(shlex.split(command), options))


@pytest.mark.parametrize(
    ("command", "write"),
    [
        ("--configfile a.yaml --configfile b.yaml", "--configfile a.yaml b.yaml"),
        ("--configfile a -n --configfiles b c all", "--configfile a b c all"),
        ("--configfile=a all --cores 2 --configfile=b", "--configfile a b"),
        ("--config seed=1 -C dataset=x", "--config seed=1 dataset=x"),
        ("--config=seed=1 --config=dataset=x", "--config seed=1 dataset=x"),
        ("-C 'data={a: 1}' -C 'data={b: 2}'", "--config 'data={a: 1}' 'data={b: 2}'"),
        ("--set-resources a:b=1 --set-resources c:b=1", "--set-resources a:b=1 c:b=1"),
        ("--default-res a=1 --default-resources b=1", "--default-resources a=1 b=1"),
        ("--res a=1 --resources b=2", "--resources a=1 b=2"),
        ("--set-thr a=1 --set-threads b=1", "--set-threads a=1 b=1"),
        ("-R a -R b", "--forcerun a b"),
        ("-Ra -n --forcerun b", "--forcerun a b"),
        ("-nRa -R", "--forcerun a"),
        ("-U a --until b", "--until a b"),
        ("-O a --omit-from b", "--omit-from a b"),
        ("-P a -P b", "--prioritize a b"),
        ("--groups a=x --groups b=x", "--groups a=x b=x"),
        ("--set-scatter a=1 --set-scatter b=2", "--set-scatter a=1 b=2"),
        ("--allowed-rules a --allowed-rules b", "--allowed-rules a b"),
        ("--sdm conda --deployment apptainer", "--software-deployment-method conda apptainer"),
    ],
)
def test_an_option_of_which_the_last_would_count_is_named_with_what_to_write(
    command: str, write: str
) -> None:
    option = write.split()[0]
    expected = f"{option} is given 2 times, the last would count; write {write}"
    assert said_of(command) == [expected]
    assert said_of(write) == []


@pytest.mark.parametrize(
    ("command", "contested"),
    [
        ("--config seed=1 seed=2", "--config names seed 2 times (1, 2)"),
        ("--config seed=1 -C dataset=x seed=2", "--config names seed 2 times (1, 2)"),
        ("--set-thr a=1 --set-thr a=4", "--set-threads names a 2 times (1, 4)"),
    ],
)
def test_two_values_of_one_name_are_named(command: str, contested: str) -> None:
    assert said_of(command) == [f"{contested}, the last would count"]


@pytest.mark.parametrize(
    "command",
    [
        "",
        "-n all",
        "--configfile a b --config c=d e=f",
        "--profile x --profile y",  # one after the other, says Snakemake
        "--cores 2 --cores 4 -q -q",  # nothing is lost
        "-R x=1.png x=2.png",
        "-C 'data={root: x}' 'data={masks: y}'",  # Snakemake merges them
    ],
)
def test_what_all_counts_is_no_finding(command: str) -> None:
    assert said_of(command) == []


def test_an_option_that_is_appended_is_no_finding() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", nargs="+", action="extend")
    parser.add_argument("--lose", nargs="+")
    (said,) = said_of("--keep a --keep b --lose c --lose d", parser._actions)
    assert said.endswith("write --lose c d")
