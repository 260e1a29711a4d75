from dataclasses import replace

import pytest

from ssr.report import beside_published, tables
from ssr.report.benchmarks import Usage
from ssr.report.evaluations import Evaluation, Evaluations
from tests.report.finished_run import FinishedRun


def column(table: tables.Table, title: str) -> dict[str, str]:
    """Cells of the first column whose title begins so, by the name of their row."""
    place = next(n for n, cell in enumerate(table.header) if cell.startswith(title))
    return {row[0]: row[place] for row in table.rows}


def miou(evaluations: Evaluations, method: str, stage: str) -> str:
    figures = evaluations.of(method, stage)
    assert figures is not None
    return f"{100 * figures['miou']:.1f}"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.1234, "12.3"), (0, "0.0"), (1.0, "100.0"), (None, "–"), (float("nan"), "–")],
)
def test_shares_are_printed_as_per_cent(share: float | None, text: str) -> None:
    assert tables.per_cent(share) == text


def test_every_row_fits_its_header(finished: FinishedRun, evaluations: Evaluations) -> None:
    made = [
        tables.stage_table(evaluations),
        tables.class_table(evaluations, "ssr"),
        beside_published.ablation_table(evaluations, finished.config),
        beside_published.loss_table(evaluations, finished.config),
        beside_published.segmentation_table(evaluations, "ssr"),
        beside_published.seed_table(evaluations, "ssr"),
        beside_published.confusion_table(evaluations, "clip"),
        tables.usage_table([Usage("refine_cams", 2, 3.0, 2.0, float("nan"), float("nan"))]),
    ]
    for table in made:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert max(table.published | table.text_columns) < len(table.header)


def test_stages_stand_with_what_their_figures_rest_on(evaluations: Evaluations) -> None:
    table = tables.stage_table(evaluations)
    assert [row[0] for row in table.rows][:2] == ["Initial CAM", "Aligned CAM"]
    assert len(table.rows) == 2 + 4 + 4 + 2
    assert column(table, "Methods")["Aligned CAM"] == "ssr, no_refinement, clip_attention"
    assert column(table, "mIoU")["Prediction"] == miou(evaluations, "ssr", "prediction")
    given = column(table, "mIoU given labels")
    assert float(given["Prediction"]) >= float(miou(evaluations, "ssr", "prediction"))
    assert {given[stage] for stage in given.keys() - {"Prediction"}} == {"–"}
    assert float(column(table, "FB-IoU")["Prediction"]) > 50
    assert [column(table, name)["Prediction"] for name in ("Split", "Images")] == ["val", "4"]
    assert column(table, "CRF")["Prediction + CRF"] == "yes"
    assert column(table, "Scales")["Prediction"] == "1, 0.75"
    assert [column(table, "Flip")[stage] for stage in ("Prediction", "Initial CAM")] == ["yes", "–"]
    assert column(table, "Chosen on")["Initial CAM"] == "tune (4)"
    assert column(table, "Threshold")["Prediction"] == "–"


def test_a_stage_that_all_methods_share_says_so(evaluations: Evaluations) -> None:
    assert column(tables.stage_table(evaluations), "Methods")["Initial CAM"] == "all"


def test_classes_left_out_of_a_mean_are_named_once(evaluations: Evaluations) -> None:
    absent, wrong = {"absent_classes": ["owl"]}, {"never_right_classes": ["cat", "dog"]}
    first, second = (item.figures for item in evaluations.reported[:2])
    changed = Evaluations(
        (
            Evaluation(("ssr", "clip"), "initial_cam", {**first, **absent, **wrong}),
            Evaluation(("ssr",), "aligned_cam", {**second, **absent}),
        ),
        (),
    )
    assert tables.stage_table(changed).notes[-2:] == (
        "In no mask and no answer, so in no mean: owl (every row).",
        "Without a right pixel, so not in the mean confusion: cat, dog (Initial CAM of ssr, clip).",
    )


def test_over_seeds_means_stand_with_their_deviation_and_what_was_compared(
    evaluations: Evaluations, seeded: Evaluations
) -> None:
    table = tables.stage_table(seeded)
    refined = {row[1]: row for row in table.rows if row[0] == "Refined CAM"}
    mean = float(miou(evaluations, "ssr", "refined_cam")) + 5
    assert refined["ssr"][2] == f"{mean:.1f} ± 7.1"
    assert table.header[2:5] == ("mIoU", "mIoU − Initial CAM", "mIoU − ssr")
    assert refined["clip"][3:5] == ("–", "−1.0 [−3.1, 1.2]")
    assert refined["no_refinement"][4] == "−20.0 [−30.0, −10.0]"
    places = {name: (table.rows.index(row), 2) for name, row in refined.items()}
    assert (table.best, table.near) == ({places["ssr"]}, {places["clip"]})
    assert [note for note in table.notes if note.startswith(("±", "In brackets", "Bold"))] == [
        *tables.notes_of_certainty(seeded)
    ]
    assert tables.notes_of_certainty(evaluations) == ()


@pytest.mark.parametrize(
    ("figures", "text"),
    [((0.012, -0.0004, 0.03), "+1.2 [−0.0, 3.0]"), ((-0.5, -0.6, -0.4), "−50.0 [−60.0, −40.0]")],
)
def test_a_gain_has_its_sign_and_its_interval(figures: tuple[float, ...], text: str) -> None:
    assert tables.gain(dict(zip(("difference", "low", "high"), figures, strict=True))) == text


def test_a_ratio_has_three_places() -> None:
    figures = {"confusion_ratio": 0.25, "spreads": {"confusion_ratio": 0.01}}
    assert tables.with_spread(figures, "confusion_ratio", tables.ratio) == "0.250 ± 0.010"
    assert tables.ratio(None) == tables.gain(None) == "–"


def test_figures_that_are_not_held_out_are_marked(evaluations: Evaluations) -> None:
    held_out = "Thresholds are chosen on the tuning split, never on the reported one."
    assert held_out in tables.stage_table(evaluations).notes
    figures = {**evaluations.reported[0].figures, "protocol": "published"}
    notes = tables.stage_table(
        Evaluations((Evaluation(("ssr",), "initial_cam", figures),), ())
    ).notes
    assert held_out not in notes
    assert any(note.endswith("that are reported: Initial CAM of ssr.") for note in notes)


def test_where_a_class_is_only_predicted_the_other_mean_is_told(evaluations: Evaluations) -> None:
    only = {"only_predicted_classes": ["owl"], "miou_true_classes": 0.713}
    figures = {**evaluations.reported[0].figures, **only}
    changed = Evaluations((Evaluation(("ssr", "clip"), "initial_cam", figures),), ())
    assert (
        "mIoU without classes that are predicted but in no mask, whose IoU is 0 above: 71.3 "
        "(Initial CAM of ssr, clip; owl)."
    ) in tables.stage_table(changed).notes


def test_classes_stand_with_all_stages(evaluations: Evaluations) -> None:
    table = tables.class_table(evaluations, "ssr")
    assert [row[0] for row in table.rows] == ["background", "cat", "dog", "owl"]
    figures = evaluations.of("ssr", "prediction")
    assert figures is not None
    assert column(table, "Prediction (val)")["cat"] == tables.per_cent(
        figures["per_class"]["cat"]["iou"]
    )


def test_usage_that_was_not_measured_is_a_dash() -> None:
    usage = Usage("refine_cams", 2, 3.04, 2.0, 2.5, 512.4)
    table = tables.usage_table(
        [usage, replace(usage, processor_seconds=float("nan"), memory=float("nan"))]
    )
    assert table.rows[0] == ("refine_cams", "2", "3.0", "2.0", "2.5", "512")
    assert table.rows[1][-2:] == ("–", "–")
