"""What the doctor has to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Finding:
    """One line for the user: what is wrong, and the command that mends it, if one does."""

    kind: str
    text: str
    command: str = ""


def lines(findings: Iterable[Finding]) -> list[str]:
    """The findings by their kind, in the order in which they come, and their number."""
    found = list(findings)
    text: list[str] = []
    for kind, group in groupby(found, key=lambda finding: finding.kind):
        text.append(f"{kind}:")
        for finding in group:
            text.append(f"  {finding.text}")
            text += [f"      {finding.command}"] if finding.command else []
    count = "1 finding" if len(found) == 1 else f"{len(found) or 'no'} findings"
    return [*text, count]
