"""What all groups of settings share, and the types of their values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator


def _tidy(path: str) -> str:
    """A path without a slash too many, `~` replaced: two ways to write a file are one setting."""
    try:
        return str(Path(path).expanduser())
    except RuntimeError as error:
        raise ValueError(f"{error}; came {path!r}") from None


Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Rounds = Annotated[int, Field(ge=0)]
# Names become folder and file names below results/.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]
Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]
NULL = "null"
Split = Literal["train", "tune", "val"]
# Of a file or folder; the name of a model, which may stand in its place, stays as it is.
FilePath = Annotated[str, AfterValidator(_tidy)]
# What faiss takes is a signed integer of 32 bits.
Seed = Annotated[int, Field(ge=0, lt=2**31)]


def _distinct(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"one at least, and each once; came {list(seeds)}")
    return seeds


Seeds = Annotated[tuple[Seed, ...], AfterValidator(_distinct)]


class Section(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _null_of_the_command_line(cls, value: Any) -> Any:
        """Snakemake reads what stands in the braces of `--config KEY={…}` as texts alone."""
        return None if value == NULL else value

    def canonical(self, without: Iterable[str] = ()) -> str:
        """One JSON string, equal for equal settings: what a rule passes to its program."""
        return json.dumps(self.model_dump(exclude=set(without)), sort_keys=True)


def unusable_texts(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where a text below `node` of a configuration is wrong, and how.

    Texts become arguments of programs, where a dash in front would make them flags, and parameters
    of rules, in which Snakemake replaces braces around a word. They are compared with labels that
    are read without the blanks around them.
    """
    if isinstance(node, str):
        braces = set(node.replace("{}", "")) & set("{}")
        blank = not node or node != node.strip()
        if blank or braces or node.startswith("-") or not node.isprintable():
            yield (
                path,
                "a text has printable characters, no blanks around them, no dash in front, and "
                f"braces as {{}} only; came {node!a}",
            )
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from unusable_texts(key, path)
            yield from unusable_texts(value, (*path, str(key)))
    elif isinstance(node, list | tuple):
        for value in node:
            yield from unusable_texts(value, path)
