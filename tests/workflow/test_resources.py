"""What rules ask of a scheduler, and what the profile says about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ssr.config.settings import FROZEN, freeze
from ssr.errors import InputError
from tests import ROOT
from tests.workflow.conftest import Run

PROFILE: dict[str, Any] = yaml.safe_load((ROOT / "slurm/profile.yaml").read_text())
RULES = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
BLOCKS = dict(re.findall(r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)", RULES, re.MULTILINE | re.DOTALL))


def asked(clone: Run, *arguments: str) -> dict[str, list[dict[str, int]]]:
    """Rule: what each of its jobs asks for, as a dry-run prints it."""
    return requests(clone("-n", *arguments).stdout)


def requests(printed: str) -> dict[str, list[dict[str, int]]]:
    """The same, of what was printed."""
    jobs = re.findall(r"^ *rule (\w+):\n(?:.+\n)*? *resources: (.*)$", printed, re.MULTILINE)
    found: dict[str, list[dict[str, int]]] = {}
    for rule, resources in jobs:
        numbers = re.findall(r"(\w+)=(\d+)(?:,|$)", resources)
        found.setdefault(rule, []).append({name: int(value) for name, value in numbers})
    return found


def test_every_rule_that_runs_something_asks_for_memory_time_and_threads() -> None:
    running = {rule: block for rule, block in BLOCKS.items() if "shell:" in block}
    assert len(running) > 25
    for rule, block in running.items():
        assert re.search(r"mem_mb=memory\(", block), rule
        assert re.search(r"runtime=(minutes\(|LEAST_MINUTES|DAY)", block), rule
        assert "threads:" in block, rule


def test_a_gpu_is_asked_for_by_the_rules_that_the_profile_lists_and_by_no_other() -> None:
    assert {rule for rule, block in BLOCKS.items() if "gpu=" in block} == set(
        PROFILE["set-resources"]
    )
    assert not {"segment_superpixels", "refine_predictions"} & set(PROFILE["set-resources"])


def test_every_group_has_a_size_and_rules_that_need_no_gpu() -> None:
    groups = dict(each.split("=") for each in PROFILE["groups"])
    assert set(groups) <= set(BLOCKS) - set(PROFILE["set-resources"])
    assert set(groups.values()) == {each.partition("=")[0] for each in PROFILE["group-components"]}


def test_no_group_waits_for_itself_however_often_a_segmenter_is_fed_back(clone: Run) -> None:
    many_shards = "data={'shard_size': 25}"
    clone("-n", "--profile", "slurm", "--config", "feedback=2", "seeds=[0, 1]", many_shards)


def test_what_is_asked_for_follows_the_size_of_the_shards(clone: Run) -> None:
    few, many = (
        {"demo": {"train": 400, "tune": 100, "val": 200}, "shard_size": n} for n in (20, 400)
    )
    small = asked(clone, "--config", f"data={few}", "--profile", "slurm")
    large = asked(clone, "--config", f"data={many}", "--profile", "slurm")
    for rule in ("extract_features", "refine_cams", "predict_logits"):
        least, most = (max(job["runtime"] for job in jobs[rule]) for jobs in (small, large))
        assert least < most, rule
    assert min(job["mem_mb"] for jobs in large.values() for job in jobs) >= 400


def test_what_reads_all_images_asks_for_memory_by_their_number(clone: Run) -> None:
    many = "data={'demo': {'train': 200_000}, 'shard_size': 64}"
    printed = clone("-n", "results/demo/index/index.parquet", "--config", many)
    assert requests(printed.stdout)["index_dataset"][0]["mem_mb"] > 1.5 * 0.0026 * 200_000
    assert "data.shard_size: 64 makes 3130 jobs of each stage; auto makes" in printed.stderr


def test_large_images_ask_for_more_memory(clone: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data/my_folder"
    (folder / "images").mkdir(parents=True)
    rows = "".join(f"{number}.png,boat\n" for number in range(10))
    (folder / "labels.csv").write_text(f"image,labels\n{rows}")
    overlay = ("--configfile", "config/my_folder.yaml")
    whole = asked(clone, *overlay)["extract_features"][0]
    capped = asked(clone, *overlay, "--config", "images={'max_side': 128}")["extract_features"][0]
    assert capped["mem_mb"] < whole["mem_mb"]
    assert capped["runtime"] <= whole["runtime"]


def test_without_gpus_none_is_asked_for(clone: Run) -> None:
    rules = PROFILE["set-resources"]
    none = asked(clone, "--profile", "slurm", "--set-resources", *(f"{r}:gpu=0" for r in rules))
    assert {job["gpu"] for job in none["extract_features"]} == {0}
    assert {job["gpu"] for job in asked(clone, "--profile", "slurm")["extract_features"]} == {1}


def test_a_job_takes_the_configuration_of_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FROZEN, "")
    started, edited = {"seeds": [1]}, {"seeds": [2], "dataset": "other"}
    freeze(started, starts=True)
    freeze(edited, starts=False)
    assert edited == started == {"seeds": [1]}


def test_a_job_without_its_configuration_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FROZEN, raising=False)
    with pytest.raises(InputError, match=FROZEN):
        freeze({}, starts=False)
