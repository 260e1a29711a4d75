"""CAMs of other systems, each of which makes a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from ssr.config.ablations import ABLATIONS, DEFAULT_METHODS
from ssr.config.section import NULL, FilePath, Section

OWN_METHODS = frozenset((*DEFAULT_METHODS, *(row for rows in ABLATIONS.values() for row in rows)))
"""Names that no other system may bear: they stand for methods of ours."""


class Foreign(Section):
    """Files of another system, one for each image or all in one; docs/foreign_cams.md."""

    path: FilePath = Field(description="folder of the files, or one .npz of all images")
    format: Literal["npy", "npz", "png"] = Field(
        description="npy: {id}.npy | npz: {id}.npz, or one of all | png: {class}/{id}.png"
    )
    entry: str | None = Field(None, description="of a file that holds several maps; null: largest")
    logits: bool = Field(False, description="true: the softmax over all classes comes first")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.path.endswith(".npz") and self.format != "npz":
            raise ValueError(f"format of {self.path}: npz; came {self.format}")
        if self.format == "png" and (self.entry or self.logits):
            raise ValueError("entry and logits are of npy and npz; a png holds one map")
        return self


def with_foreign(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` of a configuration, with a method for each system that they name.

    What `methods` says of it comes on top; null there drops it. What is not understood stays for
    the models to refuse.
    """
    foreign, methods = values.get("foreign"), values.get("methods", DEFAULT_METHODS)
    if not isinstance(foreign, Mapping) or not isinstance(methods, Mapping):
        return dict(values)
    dropped = (None, NULL)
    kept = {
        name: source
        for name, source in foreign.items()
        if source not in dropped and methods.get(name, {}) not in dropped
    }
    rows = {name: _with_cams(methods.get(name, {}), name) for name in kept}
    return {**values, "foreign": kept, "methods": {**methods, **rows}}


def _with_cams(overrides: Any, name: str) -> Any:
    cams = overrides.get("cams", {}) if isinstance(overrides, Mapping) else None
    if not isinstance(cams, Mapping):
        return overrides
    return {**overrides, "cams": {"foreign": name, **cams}}
