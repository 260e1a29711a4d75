"""What is given twice, in a file or on the command line, where only the last would count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml

# Options that take several values, and of which Snakemake forgets all but the last.
_SEVERAL = ("--configfile", "--config", "--set-resources", "--set-threads", "--default-resources")
_ALIASES = {"--configfiles": "--configfile", "-C": "--config"}
_MERGED = "tag:yaml.org,2002:merge"


def repeated_options(arguments: Iterable[str]) -> Iterator[str]:
    """Options of a command line of Snakemake that stand there twice: what to write instead."""
    given: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    option = ""
    for argument in arguments:
        if argument.startswith("-"):
            name, _, argument = argument.partition("=")
            option = _ALIASES.get(name, name)
            counts[option] = counts.get(option, 0) + 1
        if argument:
            given.setdefault(option, []).append(argument)
    for option in _SEVERAL:
        if counts.get(option, 0) > 1:
            values = " ".join([option, *given.get(option, [])])
            yield f"{option} is given {counts[option]} times, the last would count; write {values}"


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
