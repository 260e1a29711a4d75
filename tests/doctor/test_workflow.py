"""What Snakemake says of a results folder, in our words."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssr.doctor.workflow import Job, Reason, Workflow, stale, unmade

CHANGED = Reason(before=("'{\"power\": 1}'",), now=("'{\"power\": 2}'",))


@pytest.fixture
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """One job whose setting changed, one that rests on it, one of which nothing is made."""
    monkeypatch.chdir(tmp_path)
    refined = Path("refined/a.zip"), Path("refined/b.zip")
    for path in (*refined, Path("labels/a.zip")):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return Workflow(
        (
            Job("refine_cams", refined, reason=CHANGED),
            Job("fetch_weights", (Path("weights.json"),), reason=Reason()),
            Job("label_pixels", (Path("labels/a.zip"),), reason=Reason()),
        )
    )


def test_a_changed_setting_is_named_once_and_what_follows_is_counted(workflow: Workflow) -> None:
    assert [finding.text for finding in stale(workflow)] == [
        "refine_cams (2 files): power 1 → 2",
        "what rests on such files: 1 file",
    ]


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (Reason(newer=("refined/a.zip", "x/b")), "its input from refined is newer"),
        (Reason(others=("code has changed",)), "code has changed"),
    ],
)
def test_other_causes_are_named(reason: Reason, cause: str) -> None:
    job = Job("label_pixels", (Path("labels/a.zip"),), reason=reason)
    (finding,) = stale(Workflow((job,)))
    assert finding.text == f"label_pixels (1 file): {cause}"


def test_what_is_not_made_yet_is_not_out_of_date(workflow: Workflow) -> None:
    assert unmade(workflow) == 1
