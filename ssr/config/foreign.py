"""CAMs and predictions of other systems, each of which makes a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ssr.config.ablations import ABLATIONS, DEFAULT_METHODS
from ssr.config.section import NULL, FilePath, Section

OWN_METHODS = frozenset((*DEFAULT_METHODS, *(row for rows in ABLATIONS.values() for row in rows)))
"""Names that no other system may bear: they stand for methods of ours."""


class Foreign(Section):
    """Files of another system, one for each image or all in one; docs/foreign_cams.md."""

    path: FilePath = Field(description="folder of the files, or one .npz of all images")
    format: Literal["npy", "npz", "png", "predictions"] = Field(
        description="npy: {id}.npy | npz: {id}.npz, or one of all | png: {class}/{id}.png | "
        "predictions: {id}.png whose pixels are indices of classes, no CAMs"
    )
    entry: str | None = Field(None, description="of a file that holds several maps; null: largest")
    logits: bool = Field(False, description="true: the softmax over all classes comes first")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.path.endswith(".npz") and self.format != "npz":
            raise ValueError(f"format of {self.path}: npz; came {self.format}")
        if self.format in ("png", "predictions") and (self.entry or self.logits):
            raise ValueError(f"entry and logits are of npy and npz; came {self.format}")
        return self

    @property
    def stands_in_for(self) -> Literal["cams", "prediction"]:
        """The section of a method whose work the files do."""
        return "prediction" if self.format == "predictions" else "cams"


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
    rows = {name: _with_files(methods.get(name, {}), name, kept[name]) for name in kept}
    return {**values, "foreign": kept, "methods": {**methods, **rows}}


def _with_files(overrides: Any, name: str, source: Any) -> Any:
    """The overrides of a method that takes what the `source` of this name holds."""
    try:
        section = Foreign.model_validate(source).stands_in_for
    except ValidationError:
        return overrides
    own = overrides.get(section, {}) if isinstance(overrides, Mapping) else None
    if not isinstance(own, Mapping):
        return overrides
    return {**overrides, section: {"foreign": name, **own}}
