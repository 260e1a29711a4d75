import math
from pathlib import Path

from ssr.report.benchmarks import read_benchmarks


def write(folder: Path, job: str, *values: str) -> None:
    folder.mkdir(exist_ok=True)
    rows = ["s\th:m:s\tmax_rss\tcpu_time", *values]
    (folder / f"{job}.tsv").write_text("\n".join(rows) + "\n")


def test_jobs_of_a_rule_are_added_up(tmp_path: Path) -> None:
    write(tmp_path / "refine_cams", "ssr-val_0000", "2.5\t0:00:02\t300.5\t2.25")
    write(tmp_path / "refine_cams", "ssr-val_0001", "1.5\t0:00:01\t400.5\t0.5")
    (usage,) = read_benchmarks(tmp_path)
    assert (usage.rule, usage.jobs) == ("refine_cams", 2)
    assert (usage.seconds, usage.longest, usage.memory) == (4.0, 2.5, 400.5)
    assert usage.processor_seconds == 2.75


def test_rules_follow_the_data_and_unknown_ones_come_last(tmp_path: Path) -> None:
    for rule in ("a_rule_of_ones_own", "label_pixels", "index_dataset"):
        write(tmp_path / rule, "job", "1\t0:00:01\t100\t1")
    rules = [usage.rule for usage in read_benchmarks(tmp_path)]
    assert rules == ["index_dataset", "label_pixels", "a_rule_of_ones_own"]


def test_jobs_too_short_to_be_measured_have_neither_memory_nor_processor_time(
    tmp_path: Path,
) -> None:
    write(tmp_path / "encode_text", "a", "0.1\t0:00:00\t-\t-")
    write(tmp_path / "summarise", "a", "0.1\t0:00:00\tNA\tNA")
    write(tmp_path / "label_pixels", "a", "0.1\t0:00:00\t-\t-")
    write(tmp_path / "label_pixels", "b", "0.1\t0:00:00\t200\t0.5")
    measured = {
        usage.rule: (usage.processor_seconds, usage.memory) for usage in read_benchmarks(tmp_path)
    }
    assert measured["label_pixels"] == (0.5, 200)
    assert all(map(math.isnan, measured["encode_text"] + measured["summarise"]))


def test_missing_and_empty_folders_are_no_usage(tmp_path: Path) -> None:
    (tmp_path / "refine_cams").mkdir()
    (tmp_path / "refine_cams" / "a.tsv").write_text("")
    assert read_benchmarks(tmp_path) == []
    assert read_benchmarks(tmp_path / "none") == []
