"""Which evaluations are found, which are paired, and what is said where none can be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ssr.compare.entries import entries, groups, shared_stage, to_the_first
from ssr.errors import InputError
from ssr.evaluation.evaluation import write_evaluation
from ssr.results import Results, open_results
from tests.compare.runs import STAGE, confusions, make_run, write


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, Results]:
    """One with a stronger method, one that has the same images, one with others."""
    made = {
        "one": make_run(tmp_path / "one", {"clip": 0.6, "clip_attention": 0.8}),
        "same": make_run(tmp_path / "same", {"clip": 0.7}),
        "other": make_run(tmp_path / "other", {"clip": 0.9}, images="abcd"),
    }
    return {name: open_results(path) for name, path in made.items()}


def test_entries_of_the_same_images_stand_together(runs: dict[str, Results]) -> None:
    grouped = groups(entries(runs, STAGE))
    assert [[entry.name for entry in group] for group in grouped] == [
        ["one clip", "one clip_attention", "same clip"],
        ["other clip"],
    ]


def test_differences_are_paired_with_the_first_of_the_same_images(runs: dict[str, Results]) -> None:
    together, apart = groups(entries(runs, STAGE))
    found = to_the_first(together)
    assert list(found) == ["one clip_attention", "same clip"]
    for entry in together[1:]:
        difference = found[entry.name]
        gained = entry.figures["miou"] - together[0].figures["miou"]
        assert difference["difference"] == pytest.approx(gained)
        assert 0 < difference["low"] < gained < difference["high"]
    assert to_the_first(apart) == {}


def test_where_no_two_are_of_the_same_images_it_is_said_why(runs: dict[str, Results]) -> None:
    del runs["one"]
    with pytest.raises(
        InputError,
        match=r"^nothing can be compared: other clip differs from same clip: images 4 \(\w{6}\) "
        r"instead of 8 \(\w{6}\)$",
    ):
        groups(entries(runs, STAGE))
    del runs["other"]
    with pytest.raises(InputError, match=r"^nothing can be compared: there is one method$"):
        groups(entries(runs, STAGE))


def test_the_last_stage_that_all_have_is_compared(runs: dict[str, Results], tmp_path: Path) -> None:
    assert shared_stage([*runs.values()], None) == "pseudo_label"
    assert shared_stage([*runs.values()], "refined_cam") == "refined_cam"
    with pytest.raises(
        InputError,
        match=r"^--stage is one that all runs have, initial_cam, refined_cam, pseudo_label; "
        "came prediction$",
    ):
        shared_stage([*runs.values()], "prediction")
    whole = open_results(make_run(tmp_path / "whole", {"ssr": 0.8}))
    assert shared_stage([whole], None) == "prediction_crf"


def test_an_evaluation_that_is_not_there_is_named(runs: dict[str, Results]) -> None:
    path = runs["same"].folder / f"evaluation/{STAGE}/clip/val.json"
    document = json.loads(path.read_text())
    del document["only_predicted_classes"], document["seal"]
    write_evaluation(path, document)
    with pytest.raises(InputError, match=r"val.json: is of an earlier version; run snakemake"):
        entries(runs, STAGE)
    path.write_text("[")
    with pytest.raises(InputError, match=r"val.json: "):
        entries(runs, STAGE)
    path.unlink()
    with pytest.raises(InputError, match=r"pseudo_label/clip/val.json: not run yet$"):
        entries(runs, STAGE)


def test_a_run_without_masks_has_nothing_to_compare(tmp_path: Path) -> None:
    base = make_run(tmp_path / "one", {"clip": 0.6})
    data = open_results(base).config.data.model_dump() | {"masks": None}
    settings = {"data": data, "labels": {"threshold": 0.5}}
    run = open_results(make_run(tmp_path / "none", {"clip": 0.6}, settings=settings))
    with pytest.raises(InputError, match=r"results/none: has no masks, so nothing was evaluated$"):
        entries({"none": run}, STAGE)


def test_the_seeds_of_a_method_are_one_entry_with_their_mean(tmp_path: Path) -> None:
    methods = {"clip": 0.6, "clip_attention": 0.7}
    path = make_run(tmp_path / "one", methods, settings={"seeds": [0, 1]})
    second = path / f"evaluation/{STAGE}/clip_attention_seed1/val.json"
    write(second, confusions(0.8), {})
    clip, attention = entries({"one": open_results(path)}, STAGE)
    assert (clip.name, len(clip.evaluations)) == ("one clip", 1), "no seed enters its CAMs"
    assert attention.evaluations == [path / f"evaluation/{STAGE}/clip_attention/val.json", second]
    values = [json.loads(each.read_text())["miou"] for each in attention.evaluations]
    assert attention.figures["miou"] == pytest.approx(sum(values) / 2)
    assert attention.figures["spreads"]["miou"] == pytest.approx(np.std(values, ddof=1))
    (difference,) = to_the_first([clip, attention]).values()
    assert difference["difference"] == pytest.approx(sum(values) / 2 - clip.figures["miou"])
