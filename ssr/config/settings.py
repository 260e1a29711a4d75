"""Settings from files: read, check everything at once, write config.yaml."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from ssr.artefacts.files import replacing
from ssr.config import Config, Section
from ssr.config.ablations import with_ablations
from ssr.config.architectures import names_file
from ssr.config.consistency import contradictions
from ssr.config.feedback import with_feedback
from ssr.config.foreign import with_foreign
from ssr.config.methods import METHOD_SECTIONS, merge
from ssr.config.section import unusable_texts
from ssr.errors import InputError

# Where a run keeps its configuration for its jobs; sbatch hands the environment on.
FROZEN = "SSR_CONFIG"
# And for those who read its results, below their folder.
_RECORD = "logs/config.json"
# Columns of a line of YAML.
_NO_LIMIT = 10**9


def freeze(values: dict[str, Any], starts: bool) -> None:
    """Keep `values` for the jobs of a run that `starts`; in a job, replace them by those kept.

    Raises:
        InputError: a job has not been handed the configuration.
    """
    if starts:
        # What JSON can't hold, such as a date of YAML, is no setting and is refused later.
        os.environ[FROZEN] = json.dumps(values, default=str)
        return
    if FROZEN not in os.environ:
        raise InputError(f"this job lacks the variable {FROZEN} of the run that submitted it")
    values.clear()
    values.update(json.loads(os.environ[FROZEN]))


def record(config: Config, results: Path) -> None:
    """Keep the configuration of a run with its results."""
    with replacing(results / _RECORD) as temporary:
        temporary.write_text(config.model_dump_json(indent=1))


def recorded(results: Path) -> Config:
    """The configuration of the last run that wrote to `results`, its paths absolute.

    Raises:
        InputError: there is none, or it is none of this version.
    """
    path = results / _RECORD
    try:
        values = json.loads(path.read_text())
        # Snakemake ran, and found data and backbones, where results/ lies.
        _make_absolute(values, Path(os.path.abspath(results)).parent.parent)
        return parse_config(values)
    except OSError:
        raise InputError(f"{path}: no such file; a run of snakemake writes it") from None
    except (LookupError, TypeError, AttributeError, ValueError, InputError) as error:
        raise InputError(f"{path}: {error}; a run of snakemake writes it anew") from error


def _make_absolute(values: dict[str, Any], start: Path) -> None:
    """Let the paths in `values`, which are relative to the folder `start`, begin with it."""
    values["data"]["root"] = str(start / values["data"]["root"])
    for source in values.get("foreign", {}).values():
        source["path"] = str(start / source["path"])
    for given in (values, *values["methods"].values()):
        for backbone in given.get("backbones", {}).values():
            make_backbone_absolute(backbone, start)


def make_backbone_absolute(backbone: dict[str, Any], start: Path) -> None:
    """Let the files that a backbone names, relative to the folder `start`, begin with it."""
    if backbone.get("model", "").endswith(".json"):
        backbone["model"] = str(start / backbone["model"])
    if names_file(backbone.get("weights", "")):
        backbone["weights"] = str(start / backbone["weights"])


def parse_config(values: Mapping[str, Any], found: Iterable[str] = ()) -> Config:
    """Check `values` (nested dicts as read from YAML) and every method's overrides.

    What settings ask of each other is judged where they are sound by themselves.

    Args:
        values: of all files, laid over each other.
        found: what is wrong with those files.

    Raises:
        InputError: one line per finding, all findings at once.
    """
    texts = [("".join(path[:1]), _line(path, said)) for path, said in unusable_texts(values)]
    config, wrong = _judge(values)
    unsound = {section for section, _ in (*texts, *wrong)}
    against = list(contradictions(config, unsound))
    findings = [*found, *(line for _, line in (*texts, *wrong)), *against]
    given = with_foreign(with_ablations(values))
    methods = with_feedback(given).get("methods", config.methods)
    for method, overrides in (methods if isinstance(methods, Mapping) else {}).items():
        # What is wrong with a round is wrong with its method.
        if isinstance(overrides, Mapping) and method in given.get("methods", methods):
            own = _judge_method(config, unsound, method, overrides)
            findings += [f"methods.{method}.{line}" for line in own if line not in against]
    if findings:
        lines = "\n".join(f"  {_printable(finding)}" for finding in findings)
        raise InputError(f"the configuration is wrong\n{lines}")
    return config


def _judge(values: Mapping[str, Any]) -> tuple[Config, list[tuple[str, str]]]:
    """The sound sections, the others by default; and for each finding its section and its line."""
    try:
        return Config.model_validate(values), []
    except ValidationError as error:
        wrong = [(str(finding["loc"][0]), _explain(finding)) for finding in error.errors()]
    unsound = {section for section, _ in wrong}
    sound = {section: value for section, value in values.items() if str(section) not in unsound}
    return Config.model_validate(sound), wrong


def _judge_method(
    base: Config, unsound: Collection[str], method: str, overrides: Mapping[str, Any]
) -> Iterator[str]:
    """What is wrong with the overrides of a method, laid over `base`.

    Its sections that are `unsound` are not those that the user gave.
    """
    for section in overrides:
        if section not in METHOD_SECTIONS:
            yield f"{section}: a method may override {', '.join(METHOD_SECTIONS)}"
    own = {section: overrides[section] for section in METHOD_SECTIONS if section in overrides}
    config, wrong = _judge(merge(base.model_dump(), own))
    yield from (line for _, line in wrong)
    if method not in config.segmenter_methods:
        config = config.model_copy(update={"segmenter_methods": ()})
    yield from contradictions(config, {*unsound, *(section for section, _ in wrong)}, method)


def restore_empty(config: dict[str, Any], layers: Iterable[Mapping[str, Any]]) -> None:
    """Put `{}` where the last of `layers` to speak of a key lays it over null or a value.

    Snakemake's merging, of which `config` is the outcome, leaves what was there.
    """

    def restore(merged: dict[str, Any], meant: Mapping[str, Any]) -> None:
        for key, value in meant.items():
            if isinstance(value, Mapping):
                if not isinstance(merged.get(key), Mapping):
                    merged[key] = {}
                restore(merged[key], value)

    restore(config, reduce(merge, layers, {}))


def config_hash(config: Config) -> str:
    """Twelve hexadecimal digits that stand for all settings."""
    return hashlib.sha256(config.canonical().encode()).hexdigest()[:12]


def _explain(finding: Any) -> str:
    """One pydantic finding as `key: what is allowed; what came`."""
    path = [str(part) for part in finding["loc"]]
    if finding["type"] == "extra_forbidden":
        return _line(path, f"unknown key{_suggestion(path)}")
    if finding["type"] == "missing":
        return _line(path, "missing")
    message = finding["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list")
    if finding["type"] == "value_error":
        return _line(path, message)
    return _line(path, f"{message[0].lower()}{message[1:]}; came {finding['input']!r}")


def _line(path: Sequence[str], wrong: str) -> str:
    return f"{'.'.join(path) or 'configuration'}: {wrong}"


def _printable(line: str) -> str:
    """Keys may hold anything, and would reach a terminal as it is."""
    return line if line.isprintable() else ascii(line)[1:-1]


def _suggestion(path: list[str]) -> str:
    model: Any = Config
    for part in path[:-1]:
        field = model.model_fields.get(part) if _is_section(model) else None
        model = field.annotation if field else None
    if not _is_section(model):
        return ""
    name, dot, rest = path[-1].partition(".")
    if dot and name in model.model_fields:
        return (
            f"; sections hold their keys in braces, {'.'.join([*path[:-1], name])}: {{{rest}: …}}"
        )
    near = difflib.get_close_matches(path[-1], model.model_fields, n=1)
    allowed = ", ".join(model.model_fields)
    return f"; did you mean {near[0]}?" if near else f"; allowed: {allowed}"


def _is_section(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)


def render(config: Section) -> str:
    """The settings as commented YAML: the text of config.yaml."""
    lines = ["# Every setting, its default (the demo) and what it does.", *_render(config, 0)]
    return "\n".join(lines) + "\n"


def _render(section: Section, depth: int) -> Iterator[str]:
    indent = "  " * depth
    plain = section.model_dump()
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            if depth == 0:
                yield ""
            yield f"{indent}{name}:  # {field.description}"
            yield from _render(value, depth + 1)
        elif name == "methods":
            yield f"\n{name}:  # {field.description}"
            yield from (f"  {method}: {flow(value[method])}" for method in value)
        else:
            yield f"{indent}{name}: {flow(plain[name])}  # {field.description}"


def flow(value: Any) -> str:
    """A value as YAML in one line."""
    if isinstance(value, tuple):
        value = list(value)
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, width=_NO_LIMIT, allow_unicode=True
    )
    return text.strip().removesuffix("...").strip()
