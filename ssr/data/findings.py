"""What is wrong with a data set, or with maps for it: collected first, reported at once."""

from __future__ import annotations

from ssr.errors import InputError

_EXAMPLES = 5


class Findings:
    """Problems, which stop the run, and warnings, which do not; each with its examples."""

    def __init__(self) -> None:
        self._problems: dict[str, list[str]] = {}
        self._warnings: dict[str, list[str]] = {}

    def problem(self, kind: str, example: str) -> None:
        """Note something that must be mended, such as kind "missing image", example its path."""
        self._problems.setdefault(kind, []).append(example)

    def warning(self, kind: str, example: str) -> None:
        """Note something that the user should know."""
        self._warnings.setdefault(kind, []).append(example)

    def take_problems(self, other: Findings) -> None:
        """Make the problems of others one's own, but not their warnings."""
        for kind, examples in other._problems.items():
            self._problems.setdefault(kind, []).extend(examples)

    @property
    def warnings(self) -> list[str]:
        """One line for each kind of warning."""
        return _lines(self._warnings)

    def raise_problems(self, name: str, kind: str = "data set") -> None:
        """Report all problems of the `kind` `name` in one error, if there are any.

        Raises:
            InputError: one line for each kind of problem: how often, and the first examples.
        """
        if self._problems:
            lines = "".join(f"\n  {line}" for line in _lines(self._problems))
            raise InputError(f"the {kind} {name} cannot be used:{lines}")


def _lines(findings: dict[str, list[str]]) -> list[str]:
    return [_line(kind, examples) for kind, examples in findings.items()]


def _line(kind: str, examples: list[str]) -> str:
    more = ", …" if len(examples) > _EXAMPLES else ""
    shown = (one if one.isprintable() else ascii(one) for one in examples[:_EXAMPLES])
    return f"{len(examples)} × {kind}: {', '.join(shown)}{more}"
