"""The table at the end of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ssr.evaluation.evaluation import quality
from ssr.evaluation.table import format_table

TUNED = {"threshold": 0.37, "threshold_from": {"split": "tune", "images": 100}}


def row(method: str, stage: str, **entries: Any) -> dict[str, Any]:
    """A row of summary.json."""
    rest = {"dataset": "demo", "seed": 3, "config_hash": "0123456789ab", "split": "val"}
    rest |= {"images": 200, "crf": False, "scales": None, "flip": None}
    rest |= {
        "threshold": None,
        "threshold_from": None,
        "miou_given_labels": None,
        "differences": [],
    }
    rest |= {"protocol": "held_out", "supervision": "image_labels"}
    rest |= {"ratio_to_fully_supervised": None}
    rest |= quality(np.array([[60, 20, 20], [5, 35, 0]]), ["background", "cat"])
    return {"method": method, "stage": stage} | rest | entries


ROWS = [
    row("ssr", "initial_cam", **TUNED),
    row("ssr", "pseudo_label", **TUNED),
    row("ssr", "prediction", scales=[1.0], flip=False, miou_given_labels=0.713),
    row("ssr", "prediction_crf", crf=True, scales=[1.0, 0.75], flip=True),
    row("clip", "initial_cam", **TUNED),
    row("clip", "pseudo_label", confusion_ratio=None, never_right_classes=["cat", "dog"]),
    row("clip_dino_attention", "pseudo_label"),
    row("clip_dino_attention", "prediction_crf"),
]


def test_the_stages_of_the_first_method_come_before_a_row_for_each_other_method() -> None:
    names = [line.split()[0] for line in format_table(ROWS).splitlines()[2:14] if line]
    assert names == [
        *("ssr", "initial_cam", "pseudo_label", "prediction", "prediction_crf"),
        *("pseudo_label", "clip", "clip_dino_attention"),
        *("prediction_crf", "clip_dino_attention"),
    ]


def test_predictions_of_another_system_have_a_row_and_are_marked() -> None:
    table = format_table([*ROWS, row("peer", "prediction", supervision="unknown")])
    start = table.index("prediction of the other methods")
    assert table[start:].splitlines()[1].startswith("peer  ")
    assert "\npeer: predictions of another system as its files have them;" in table
    assert "another system" not in format_table(ROWS)


def test_a_row_is_printed_with_what_its_figures_rest_on() -> None:
    table = format_table(ROWS).splitlines()
    assert table[0] == "dataset demo, seed 3, settings 0123456789ab"
    initial, clip = (
        next(line.split() for line in table if line.startswith(name))
        for name in ("initial", "clip ")
    )
    assert " ".join(initial[1:]) == "200 val 64.5 - 64.5 78.0 81.2 0.327 25.0 0.0 0.37"
    assert clip[8] == "-", "a missing confusion ratio is a dash"
    assert table[-6:] == [
        "all background would have mIoU 35.7 on val.",
        "prediction: scales 1, no CRF.",
        "prediction_crf: scales 1, 0.75 + flip, dense CRF.",
        "thr.: the background threshold, chosen on tune (100 images).",
        "left out (left to the ignore label): 14.3 % of the pixels",
        "left out of FP/TP (not one right pixel): cat, dog (clip pseudo_label)",
    ]


def test_figures_that_are_not_held_out_are_marked() -> None:
    table = format_table([row("ssr", "initial_cam", **TUNED, protocol="published"), *ROWS[1:3]])
    (note,) = [line for line in table.splitlines() if line.startswith("not held out")]
    assert note.endswith("chosen on the very images reported: ssr initial_cam.")
    assert "held out" not in format_table(ROWS)


def test_full_supervision_is_marked_and_the_others_have_their_ratio_to_it() -> None:
    reached = row("ssr", "prediction_crf", ratio_to_fully_supervised=0.8437)
    bound = row("fully_supervised", "prediction_crf", supervision="masks")
    table = format_table([*ROWS[:3], reached, bound]).splitlines()
    first = "learned from the masks of train, so not weakly supervised: fully_supervised."
    ratio = "ratio to it, in % of its mIoU (Table 6): ssr prediction_crf 84.4."
    assert table[table.index(first) + 1] == ratio
    assert "masks" not in format_table(ROWS)


def test_where_a_class_is_only_predicted_the_other_mean_is_told() -> None:
    other = {"miou_true_classes": 0.713, "only_predicted_classes": ["owl", "dog"]}
    table = format_table([*ROWS[:3], row("ssr", "prediction_crf", **other)])
    assert (
        "mIoU without classes that are predicted but in no mask (above, their IoU is 0): 71.3 ssr\n"
        "  prediction_crf (owl, dog)."
    ) in table
    assert "in no mask" not in format_table(ROWS)


def test_what_a_prediction_reaches_with_its_labels_stands_beside_the_plain_figure() -> None:
    lines = format_table(ROWS).splitlines()
    place = lines[2].index("+labels") + len("+labels")
    found = {line.split()[0]: line[:place].split()[-1] for line in lines[3:7]}
    assert found == {"initial_cam": "-", "pseudo_label": "-", "prediction": "71.3"} | {
        "prediction_crf": "-"
    }


@pytest.mark.parametrize("rows", [ROWS, ROWS[:4]], ids=["methods", "one_method"])
def test_columns_are_aligned_and_fit_a_terminal(rows: list[dict[str, Any]]) -> None:
    table = format_table(rows).splitlines()
    end = table[2].index("mIoU") + len("mIoU")
    figures = [line for line in table if " val " in f"{line} " and line.count(".") > 3]
    assert {line[end - 4 : end] for line in figures} == {"64.5"}
    assert max(map(len, table)) <= 100


def test_a_long_note_is_wrapped_and_the_table_of_a_large_data_set_fits() -> None:
    rows = [row(f"method_{number}", "pseudo_label", labelled=0.9) for number in range(6)]
    rows = [row("method_0", "initial_cam", labelled=1.0, split="train", images=10582), *rows]
    table = format_table(rows).splitlines()
    note = " ".join(line.strip() for line in table[-3:])
    assert note.startswith("left out (left to the ignore label): 10.0 % of the pixels (method_0")
    assert [line.startswith("  ") for line in table[-3:]] == [False, True, True]
    assert max(map(len, table)) <= 100


def difference(method: str, stage: str, *figures: float) -> dict[str, Any]:
    named = dict(zip(("difference", "low", "high"), figures, strict=True))
    return {"to_method": method, "to_stage": stage, **named}


OVER_SEEDS = [
    row("ssr", "initial_cam", miou=0.69),
    *(
        row(
            "ssr",
            "pseudo_label",
            seed=seed,
            miou=miou,
            differences=[
                difference("ssr", "initial_cam", 0.01, -0.0004, 0.03),
                difference("clip_attention", "pseudo_label", -0.01, -0.02, 0.001),
            ],
        )
        for seed, miou in ((3, 0.69), (4, 0.71))
    ),
    row("clip", "initial_cam", miou=0.69),
    row(
        "clip",
        "pseudo_label",
        miou=0.6,
        differences=[difference("ssr", "pseudo_label", -0.1, -0.2, -0.05)],
    ),
    row("clip_attention", "pseudo_label", miou=0.71),
]


def test_over_seeds_there_are_means_and_below_what_is_gained_and_how_sure_it_is() -> None:
    table = format_table(OVER_SEEDS).splitlines()
    assert table[0] == "dataset demo, seeds 3, 4, settings 0123456789ab"
    assert table[4].split()[:4] == ["pseudo_label", "200", "val", "70.0"]
    assert table[table.index("difference in mIoU") :] == [
        "difference in mIoU",
        "ssr              mIoU          to initial_cam               to ssr",
        "initial_cam      69.0                       -                    -",
        "pseudo_label    ~70.0 ± 1.4  +1.0 [-0.0, 3.0]                    -",
        "",
        "pseudo_label of the other methods",
        "clip             60.0                       -  -10.0 [-20.0, -5.0]",
        "clip_attention  *71.0                       -                    -",
        "",
        "[…]: 95 % of a paired bootstrap over the images (2000 resamples).",
        "*: the best of its stage; ~: its difference to the best may be none, for […] holds 0.",
        "±: standard deviation over the seeds; differences are those of the means over them.",
    ]


def test_without_differences_there_is_nothing_below() -> None:
    assert "difference" not in format_table(ROWS)


def test_no_rows_make_no_table() -> None:
    assert format_table([]) == "nothing was evaluated: the data set has no masks"
