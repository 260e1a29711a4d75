"""Seeds as rows: a method with several is run once with each, and the first keeps its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ssr.config.section import Seeds

_SEEDS = TypeAdapter(Seeds)


def row_name(method: str, seeds: Sequence[int], seed: int) -> str:
    """Under which name lies what `method` makes with one of its `seeds`."""
    return method if seed == seeds[0] else f"{method}_seed{seed}"


def method_of_row(row: str, seed: int) -> str:
    """The method of which `row_name` made `row`, for a further `seed`; a first one has its name."""
    return row.removesuffix(f"_seed{seed}")


def own_seeds(overrides: Mapping[str, Any], seeds: Sequence[int]) -> tuple[int, ...]:
    """Those that a method names among its `overrides`, or else `seeds`.

    What is no list of seeds is for the models to refuse.
    """
    named = overrides.get("seeds")
    try:
        return tuple(seeds) if named is None else _SEEDS.validate_python(named)
    except ValidationError:
        return tuple(seeds)


def with_seeds(methods: Mapping[str, Any], seeds: Sequence[int]) -> dict[str, Any]:
    """`methods` by their name, and behind them a row for each further seed of each.

    Rows that are there already stay in their place.

    Raises:
        ValueError: a method has the name of such a row.
    """
    rows = dict(methods)
    for method, overrides in methods.items():
        if not isinstance(overrides, Mapping):
            continue
        own = own_seeds(overrides, seeds)
        for seed in own[1:]:
            name, row = row_name(method, own, seed), {**overrides, "seeds": [seed]}
            if rows.setdefault(name, row) != row:
                raise ValueError(
                    f"{name} is what {method} is called with seed {seed}; give one another name"
                )
    return rows
