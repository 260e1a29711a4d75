from collections.abc import Callable
from dataclasses import replace

import pytest

from ssr.config import Config
from ssr.config.settings import parse_config
from ssr.report.beside_published import (
    ablation_table,
    confusion_table,
    loss_table,
    seed_table,
    segmentation_table,
    supervision_table,
)
from ssr.report.evaluations import Evaluations
from ssr.report.tables import Table, stage_table
from tests.report.finished_run import FinishedRun
from tests.report.test_tables import column, miou


def test_ablation_prints_the_paper_beside_ours_and_says_that_it_is(
    finished: FinishedRun, evaluations: Evaluations
) -> None:
    table = ablation_table(evaluations, finished.config)
    assert column(table, "Differs in") == {
        "ssr": "nothing: the full method",
        "clip": "alignment: enabled: false",
        "no_refinement": "refinement: affinity: none",
        "clip_attention": "refinement: clip_weight: 1.0, dino_weight: 0.0, mask: none",
    }
    assert column(table, "Aligned")["clip"] == "–"
    assert column(table, "Refined CAM mIoU")["clip"] == miou(evaluations, "clip", "refined_cam")
    published = {row[0]: row[8:] for row in table.rows}
    assert published["ssr"] == ("+ SGC", "87.9", "89.1", "78.7")
    assert published["clip"] == ("–",) * 4
    assert table.published == {8, 9, 10, 11}
    assert "VOC train, not comparable" in table.header[8]
    assert any("not comparable" in note for note in table.notes)
    assert any("slips" in note for note in table.notes)


def test_the_ablation_is_of_methods_over_their_seeds_and_marks_the_best(
    finished: FinishedRun, seeded: Evaluations
) -> None:
    config = Config.model_validate(finished.config.model_dump() | {"seeds": (0, 1)})
    assert "ssr_seed1" in config.methods
    table = ablation_table(seeded, config)
    assert [row[0] for row in table.rows] == [*finished.config.methods]
    refined = table.header.index("Refined CAM mIoU")
    assert table.rows[0][refined].endswith(" ± 7.1")
    assert (table.best, table.near) == ({(0, refined)}, {(1, refined)})


def test_losses_stand_beside_table_4(finished: FinishedRun, evaluations: Evaluations) -> None:
    table = loss_table(evaluations, finished.config)
    initial, aligned = (miou(evaluations, "ssr", s) for s in ("initial_cam", "aligned_cam"))
    assert table.rows == (
        ("none (CLIP)", initial, "58.6"),
        ("feature", "–", "53.5"),
        ("in_modal", "–", "57.8"),
        ("cross_modal", aligned, "63.3"),
    )


def test_ours_stand_in_the_row_of_the_paper_s_method(evaluations: Evaluations) -> None:
    segmentations = column(segmentation_table(evaluations, "ssr"), "mIoU of this run's ssr")
    assert segmentations["SSR"] == miou(evaluations, "ssr", "prediction_crf")
    assert segmentations["SSR without CRF"] == miou(evaluations, "ssr", "prediction")
    assert segmentations["WeCLIP"] == "–"
    seeds = column(seed_table(evaluations, "ssr"), "Refined CAM")
    assert seeds["SSR"] == miou(evaluations, "ssr", "refined_cam")
    mistakes = confusion_table(evaluations, "ssr").rows[0]
    assert mistakes[:2] == ("SSR", miou(evaluations, "ssr", "prediction_crf"))
    assert mistakes[5:] == ("79.5", "87.9", "89.1", "0.198")


@pytest.mark.parametrize(
    "table", [segmentation_table, seed_table, confusion_table, supervision_table]
)
def test_every_table_says_that_the_paper_is_not_comparable(
    evaluations: Evaluations, table: Callable[[Evaluations, str], Table]
) -> None:
    made = table(evaluations, "clip")
    assert "not comparable" in made.header[min(made.published)]
    assert "not comparable" in made.notes[0]


def test_full_supervision_stands_beside_table_6_and_the_ablation_leaves_it_out(
    finished: FinishedRun, evaluations: Evaluations
) -> None:
    config = parse_config(finished.config.model_dump() | {"ablations": ["table_6"]})
    (ours,) = (one for one in evaluations.reported if one.stage == "prediction")
    bound = replace(ours, methods=("fully_supervised",))
    summary = [
        {"method": method, "stage": "prediction", "supervision": source}
        | {"ratio_to_fully_supervised": ratio, "miou": 0.5, "differences": []}
        for method, source, ratio in (
            ("ssr", "image_labels", 0.843),
            ("fully_supervised", "masks", None),
        )
    ]
    taught = replace(evaluations, reported=(*evaluations.reported, bound), summary=summary)
    table = supervision_table(taught, "ssr")
    figure = miou(evaluations, "ssr", "prediction")
    assert table.rows[1] == ("SSR without CRF", figure, figure, "84.3", "78.2", "–", "–")
    assert table.rows[0][4:] == ("79.5", "81.6", "97.4")
    assert any("fully_supervised learned from the masks" in note for note in table.notes)
    assert any(
        "fully_supervised learned from the masks" in note for note in stage_table(taught).notes
    )
    assert "fully_supervised" not in column(ablation_table(taught, config), "Differs in")
