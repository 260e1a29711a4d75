from pathlib import Path

import pytest

from ssr.errors import InputError
from ssr.evaluation.summary import STAGES as SUMMARISED
from ssr.report.evaluations import Evaluations, read_evaluations
from ssr.report.stages import CAM_STAGES, STAGES
from tests.report.finished_run import FinishedRun


def test_stages_are_those_of_the_summary() -> None:
    assert tuple(STAGES) == SUMMARISED
    assert set(CAM_STAGES) < set(STAGES)


def test_a_shared_evaluation_is_read_once(finished: FinishedRun) -> None:
    found = read_evaluations(reversed(finished.pairs("val")))
    assert [evaluation.stage for evaluation in found if "ssr" in evaluation.methods] == list(STAGES)
    initial = [evaluation for evaluation in found if evaluation.stage == "initial_cam"]
    assert [set(e.methods) for e in initial] == [{"ssr", "clip", "no_refinement", "clip_attention"}]


def test_figures_are_found_by_method_and_stage(evaluations: Evaluations) -> None:
    assert evaluations.stages("ssr") == list(STAGES)
    assert evaluations.stages("clip") == ["initial_cam", "refined_cam", "pseudo_label"]
    assert evaluations.of("clip", "initial_cam") is evaluations.of("ssr", "initial_cam")
    assert evaluations.of("clip", "aligned_cam") is None
    tuned = evaluations.tuned("ssr", "refined_cam")
    assert tuned is not None
    assert tuned["split"] == "tune"
    assert evaluations.tuned("ssr", "prediction") is None


def test_files_of_one_method_and_stage_are_its_seeds(
    evaluations: Evaluations, seeded: Evaluations
) -> None:
    one, both = (found.of("ssr", "refined_cam") for found in (evaluations, seeded))
    assert one is not None
    assert both is not None
    assert both["miou"] == pytest.approx(one["miou"] + 0.05)
    assert both["spreads"]["miou"] == pytest.approx(0.1 / 2**0.5)
    shared = seeded.of("ssr", "initial_cam")
    assert shared is seeded.of("clip", "initial_cam")
    assert shared is not None
    assert shared["spreads"] == {}


def test_differences_are_those_of_the_summary(
    evaluations: Evaluations, seeded: Evaluations
) -> None:
    found = seeded.difference("clip", "refined_cam", ("ssr", "refined_cam"))
    assert found is not None
    assert (found["difference"], found["low"], found["high"]) == (-0.01, -0.031, 0.012)
    assert seeded.difference("ssr", "refined_cam", ("ssr", "initial_cam")) is None
    assert seeded.difference("clip", "prediction", ("ssr", "prediction")) is None
    assert seeded.standing("refined_cam") == {"ssr": True, "clip": False}
    assert evaluations.standing("refined_cam") == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"stage": "guess"}'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "val.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"val\.json"):
        read_evaluations([("ssr", path)])
