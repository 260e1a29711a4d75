"""The table of a run, where there is none or its file is damaged."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from ssr.errors import InputError
from workflow_scripts.print_summary import main


def test_a_missing_summary_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"summary.json: no such file; run snakemake to make it"):
        main(Namespace(results=tmp_path))


@pytest.mark.parametrize("text", ["", "[{", "\x00", "1", "[1]", '[{"miou": 0.5}]'])
def test_a_damaged_summary_or_that_of_another_version_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(InputError, match=r"summary.json: .*; run snakemake to make it anew"):
        main(Namespace(results=tmp_path))
