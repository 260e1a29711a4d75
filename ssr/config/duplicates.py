"""What is given twice, in a file or on the command line, where only the last would count."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

# What argparse calls an option of any number of values.
_SEVERAL = ("+", "*")
_MERGED = "tag:yaml.org,2002:merge"


def repeated_options(arguments: Sequence[str], options: Iterable[argparse.Action]) -> Iterator[str]:
    """What a command line of Snakemake gives twice, and what to write instead.

    Args:
        arguments: those that Snakemake took.
        options: all that it knows, as `snakemake.cli.get_argument_parser()._actions`.
    """
    parser = argparse.ArgumentParser(add_help=False)
    named = {option.option_strings[0]: option for option in options if option.option_strings}
    for name, option in named.items():
        kind: dict[str, Any] = {"action": "append", "nargs": option.nargs}
        if option.nargs == 0:
            kind = {"action": "count"}
        parser.add_argument(*option.option_strings, dest=name, **kind)
    given = vars(parser.parse_known_args(arguments)[0])
    for name, option in named.items():
        # What is appended is not lost.
        if isinstance(option, argparse._StoreAction) and option.nargs in _SEVERAL and given[name]:
            yield from _lost(name, given[name], pairs="=" in str(option.metavar))


def _lost(name: str, given: Sequence[Sequence[str]], pairs: bool) -> Iterator[str]:
    """Which values of an option would not count; `given` are those of each time it is there."""
    values = [*chain.from_iterable(given)]
    contested = _contested(values) if pairs else {}
    for key, own in contested.items():
        yield f"{name} names {key} {len(own)} times ({', '.join(own)}), the last would count"
    if values != [*given[-1]] and not contested:
        instead = shlex.join([name, *values])
        yield f"{name} is given {len(given)} times, the last would count; write {instead}"


def _contested(values: Iterable[str]) -> dict[str, list[str]]:
    """The values of each key of `key=value` that has several; Snakemake merges mappings."""
    found: dict[str, dict[str, None]] = {}
    for key, _, value in (each.partition("=") for each in values):
        if not value.lstrip().startswith("{"):
            found.setdefault(key, {})[value] = None
    return {key: [*own] for key, own in found.items() if len(own) > 1}


def repeated_keys(path: Path) -> Iterator[str]:
    """Keys that stand twice in one section of a YAML or JSON file, with their lines."""
    try:
        # JSON may be indented by tabs, which YAML does not take for blanks.
        root = yaml.compose(path.read_text(encoding="utf-8").expandtabs(1), yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return  # whoever reads the file for what is in it says what is wrong
    for key, first, second in _repeated(root, (), set()):
        yield f"{path}: {key} stands in lines {first} and {second}; the last would count"


def _repeated(
    node: yaml.Node | None, path: Sequence[str], seen: set[int]
) -> Iterator[tuple[str, int, int]]:
    """Key, line and later line of what is repeated at or below a node."""
    if node is None or id(node) in seen:  # an alias, which may even stand below its anchor
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, path, seen)
    if isinstance(node, yaml.MappingNode):
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            below = [*path, str(key.value)]
            line = key.start_mark.line + 1
            name = (key.tag, str(key.value))
            if name in lines and key.tag != _MERGED:
                yield ".".join(below), lines[name], line
            lines.setdefault(name, line)
            yield from _repeated(value, below, seen)
