"""What all groups of settings share, and the types of their values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
# Names become folder and file names below results/.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]
Split = Literal["train", "tune", "val"]


class Section(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def canonical(self, without: Iterable[str] = ()) -> str:
        """One JSON string, equal for equal settings: what a rule passes to its program."""
        return json.dumps(self.model_dump(exclude=set(without)), sort_keys=True)
