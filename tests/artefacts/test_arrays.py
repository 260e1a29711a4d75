"""Dataclasses of arrays in files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ssr.artefacts.arrays import load_arrays, save_arrays
from ssr.errors import InputError


@dataclass(frozen=True)
class Left:
    names: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True)
class Right:
    counts: np.ndarray


LEFT = Left(np.array(["a", "bb"]), np.array([[1.5, 2.5]], np.float32))
RIGHT = Right(np.array([1, 2, 3]))


def test_each_kind_is_read_back_from_a_common_file(tmp_path: Path) -> None:
    save_arrays(tmp_path / "both.npz", LEFT, RIGHT)
    left = load_arrays(tmp_path / "both.npz", Left, "a_rule")
    assert left.names.tolist() == ["a", "bb"]
    assert left.numbers.dtype == np.float32
    np.testing.assert_array_equal(left.numbers, LEFT.numbers)
    assert load_arrays(tmp_path / "both.npz", Right, "a_rule").counts.tolist() == [1, 2, 3]


def test_equal_content_makes_equal_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_arrays(tmp_path / name, LEFT)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_missing_short_and_foreign_files_name_themselves_and_their_rule(tmp_path: Path) -> None:
    save_arrays(tmp_path / "whole.npz", LEFT)
    (tmp_path / "short.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:-40])
    save_arrays(tmp_path / "foreign.npz", RIGHT)
    np.savez(tmp_path / "pickled.npz", names=np.array([{}]), numbers=np.zeros(1))
    for name in ("missing", "short", "foreign", "pickled"):
        with pytest.raises(InputError, match=f"{name}.npz: expected what a_rule writes"):
            load_arrays(tmp_path / f"{name}.npz", Left, "a_rule")
