"""The tables that show the paper's figures beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from ssr.config import FULLY_SUPERVISED, Config
from ssr.config.coverage import stages_of
from ssr.config.methods import method_config, rows_of_methods
from ssr.report.evaluations import Evaluations
from ssr.report.published import (
    NOTES,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_4_CLIP,
    TABLE_5,
    TABLE_6,
    TABLE_6_NOTE,
)
from ssr.report.stages import STAGES
from ssr.report.tables import (
    MISSING,
    Table,
    notes_of_certainty,
    notes_of_masks,
    per_cent,
    ratio,
    standing_cells,
    with_spread,
)

_SEGMENTATIONS = {"SSR": "prediction_crf", "SSR without CRF": "prediction"}
_SHARES = ("miou", "precision", "recall")


def ablation_table(evaluations: Evaluations, config: Config) -> Table:
    """What each method differs in and reaches, beside the paper's Table 3."""
    header = (
        "Method", "Differs in", *(f"{STAGES[stage]} mIoU" for stage in list(STAGES)[:2]),
        "Refined P", "Refined R", "Refined CAM mIoU", "Pseudo-label mIoU",
        "Paper, Table 3 (VOC train, not comparable)", "P", "R", "mIoU",
    )  # fmt: skip
    methods = [
        method for method in rows_of_methods(config) if "refined_cam" in stages_of(config, method)
    ]
    rows = tuple(_ablation_row(method, evaluations, config) for method in methods)
    miou = (
        ((number, column), method, stage)
        for number, method in enumerate(methods)
        for column, stage in zip((2, 3, 6, 7), STAGES, strict=False)
    )
    best, near = standing_cells(evaluations, miou)
    return Table(
        "Ablation: what each part contributes",
        header,
        rows,
        (*NOTES, *notes_of_certainty(evaluations)),
        best=best,
        near=near,
        published=frozenset(range(8, 12)),
        text_columns=frozenset({0, 1, 8}),
        latex={0: "Method", 4: "P", 5: "R", 6: "CAM", 7: "Label", 11: "Paper"},
    )


def _ablation_row(method: str, evaluations: Evaluations, config: Config) -> tuple[str, ...]:
    row = TABLE_3.get(method)
    published = (row.name, *(f"{value:.1f}" for value in row[1:])) if row else (MISSING,) * 4
    return (
        method,
        _overrides(config.methods[method]),
        *(_figure(evaluations, method, stage, "miou") for stage in list(STAGES)[:2]),
        *(_figure(evaluations, method, "refined_cam", n) for n in ("precision", "recall", "miou")),
        _figure(evaluations, method, "pseudo_label", "miou"),
        *published,
    )


def _overrides(settings: Mapping[str, Any]) -> str:
    flat = yaml.safe_dump(dict(settings), default_flow_style=True, width=1000).strip()
    return flat.strip("{}").replace("{", "").replace("}", "") or "nothing: the full method"


def loss_table(evaluations: Evaluations, config: Config) -> Table:
    """CAMs before and after an alignment with each loss, beside the paper's Table 4."""
    first = next(iter(config.methods))
    before = _figure(evaluations, first, "initial_cam", "miou")
    rows = [("none (CLIP)", before, f"{TABLE_4_CLIP:.1f}")]
    for loss, published in TABLE_4.items():
        aligned = [
            _figure(evaluations, method, "aligned_cam", "miou")
            for method in rows_of_methods(config)
            if method_config(config, method).alignment.loss == loss
        ]
        ours = next((figure for figure in aligned if figure != MISSING), MISSING)
        rows.append((loss, ours, f"{published:.1f}"))
    header = (
        "Loss of the alignment",
        "CAM mIoU",
        "Paper, Table 4: mIoU (VOC train, not comparable)",
    )
    short = {0: "Loss", 1: "mIoU", 2: "Paper"}
    caption = "Losses of the alignment"
    return Table(caption, header, tuple(rows), NOTES[:1], _columns(2, 3), latex=short)


def segmentation_table(evaluations: Evaluations, method: str) -> Table:
    """Segmentations of `method` beside the paper's Table 1."""
    ours = _SEGMENTATIONS
    rows = tuple(
        (
            name,
            _figure(evaluations, method, ours[name], "miou") if name in ours else MISSING,
            *(MISSING if value is None else f"{value:.1f}" for value in published),
        )
        for name, published in TABLE_1.items()
    )
    header = (
        "Method",
        f"mIoU of this run's {method}",
        *(f"Paper, Table 1: {where} (not comparable)" for where in ("VOC val", "VOC test", "COCO")),
    )
    caption = "Segmentations beside the published ones"
    short = {0: "Method", 1: "mIoU", 2: "Paper: val", 3: "test", 4: "COCO"}
    return Table(caption, header, rows, NOTES[:1], _columns(2, 5), latex=short)


def supervision_table(evaluations: Evaluations, method: str) -> Table:
    """Segmentations of `method` and of full supervision beside the paper's Table 6."""
    rows = []
    for name, published in TABLE_6.items():
        stage, own = _SEGMENTATIONS.get(name), [MISSING] * 3
        if stage:
            own = [_figure(evaluations, each, stage, "miou") for each in (method, FULLY_SUPERVISED)]
            own.append(per_cent(evaluations.ratio(method, stage)))
        printed = (MISSING if value is None else f"{value:.1f}" for value in published)
        rows.append((name, *own, *printed))
    header = (
        "Method", f"mIoU of this run's {method}", FULLY_SUPERVISED, "Ratio",
        "Paper, Table 6: mIoU (VOC val, not comparable)", "Fully supervised", "Ratio",
    )  # fmt: skip
    notes = (
        *NOTES[:1],
        TABLE_6_NOTE,
        "Ratio: the mIoU in per cent of that of the same segmenter, trained on the masks of the "
        "same images (ablations: [table_6]).",
        *notes_of_masks(evaluations),
    )
    caption = "Segmentations beside full supervision"
    short = {0: "Method", 1: "mIoU", 2: "Full", 3: "Ratio", 4: "Paper", 5: "Full", 6: "Ratio"}
    return Table(caption, header, tuple(rows), notes, _columns(4, 7), latex=short)


def seed_table(evaluations: Evaluations, method: str) -> Table:
    """Refined CAMs of `method` beside the paper's Table 2."""
    ours = _figure(evaluations, method, "refined_cam", "miou")
    rows = tuple(
        (name, ours if name == "SSR" else MISSING, f"{published:.1f}")
        for name, published in TABLE_2.items()
    )
    header = (
        "Method",
        f"Refined CAM mIoU of this run's {method}",
        "Paper, Table 2: seeds (VOC train, not comparable)",
    )
    short = {0: "Method", 1: "mIoU", 2: "Paper"}
    caption = "CAM seeds beside the published ones"
    return Table(caption, header, rows, NOTES[:1], _columns(2, 3), latex=short)


def confusion_table(evaluations: Evaluations, method: str) -> Table:
    """Mistakes in the segmentations of `method` beside the paper's Table 5."""
    figures = evaluations.of(method, "prediction_crf")
    rows = []
    for name, (*shares, mistakes) in TABLE_5.items():
        own = [_figure(evaluations, method, "prediction_crf", n) for n in _SHARES]
        own.append(with_spread(figures, "confusion_ratio", ratio) if figures else MISSING)
        ours = own if name == "SSR" else [MISSING] * 4
        rows.append((name, *ours, *(f"{value:.1f}" for value in shares), f"{mistakes:.3f}"))
    header = (
        "Method", f"mIoU of this run's {method}", "P", "R", "FP/TP",
        "Paper, Table 5: mIoU (VOC val, not comparable)", "P", "R", "FP/TP",
    )  # fmt: skip
    caption = "Mistakes in segmentations beside the published ones"
    short = {0: "Method", 1: "mIoU", 4: "FP/TP", 5: "Paper", 8: "FP/TP"}
    return Table(caption, header, tuple(rows), NOTES, _columns(5, 9), latex=short)


def _columns(first: int, end: int) -> frozenset[int]:
    return frozenset(range(first, end))


def _figure(evaluations: Evaluations, method: str, stage: str, name: str) -> str:
    figures = evaluations.of(method, stage)
    return with_spread(figures, name) if figures else MISSING
