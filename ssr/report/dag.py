"""The picture of the DAG: every rule in the order of the data, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from ssr.report.stages import STAGES

_WIDTH, _HEIGHT = 1076, 938
_BOX = (208, 56)
_COLUMNS = {"A": 118, "B": 356, "C": 594, "evaluation": 836}
_TOP, _PITCH = 28, 92


@dataclass(frozen=True)
class _Rule:
    """A box: the rule's name, what it makes, where it stands.

    `stage` numbers the result that is scored; an evaluating rule lists the stages that it scores.
    """

    name: str
    makes: str
    column: str
    row: float
    stage: int | None = None
    scores: tuple[int, ...] = ()


_RULES = (
    _Rule("make_demo_dataset", "images, labels, masks", "A", 0),
    _Rule("index_dataset", "ids, splits, labels, shards", "B", 0),
    _Rule("index_masks", "where each mask lies", "C", 0),
    _Rule("encode_text", "class and background prompts", "A", 1),
    _Rule("extract_features", "tokens, attention of both", "B", 1),
    _Rule("segment_superpixels", "SLIC, colour regions", "C", 1),
    _Rule("activate_initial_cams", "where CLIP sees each class", "B", 2, 1),
    _Rule("pool_samples", "of classes and backgrounds", "B", 3),
    _Rule("cluster_prototypes", "of images and of texts", "A", 4),
    _Rule("align_prototypes", "heads for a shared space", "B", 4),
    _Rule("activate_aligned_cams", "maps in the shared space", "B", 5, 2),
    _Rule("refine_cams", "maps that keep to objects", "B", 6, 3),
    _Rule("label_pixels", "a class for every pixel", "B", 7, 4),
    _Rule("train_segmenter", "the model", "A", 8),
    _Rule("predict_logits", "scores of every class", "B", 8, 5),
    _Rule("refine_predictions", "labels after a dense CRF", "C", 8, 6),
    _Rule("choose_threshold", "on tune, for", "evaluation", 2, scores=(1, 2, 3)),
    _Rule("evaluate_cams", "scores of", "evaluation", 3, scores=(1, 2, 3)),
    _Rule("evaluate_labels", "scores of", "evaluation", 4, scores=(4,)),
    _Rule("evaluate_logits", "scores of", "evaluation", 5, scores=(5,)),
    _Rule("evaluate_predictions", "scores of", "evaluation", 6, scores=(6,)),
    _Rule("summarise", "summary.json", "evaluation", 7),
    _Rule("build_report", "report/index.html", "evaluation", 8),
)
# Where data and weights come from, what alignment.stop: tune adds, what other systems made, CAMs of
# segmenters, joint training, full supervision, and where predictions go.
OCCASIONAL = (
    *("derive_coco_labels", "derive_coco_masks", "fetch_weights", "pretrain_clip"),
    *("pretrain_dino", "choose_heads", "import_cams", "import_predictions", "feed_back_logits"),
    *("train_jointly", "train_fully_supervised", "evaluate_foreign", "archive_predictions"),
)
_PLACES = {rule.name: rule for rule in _RULES}

# First row, last row, name, what it is.
_BANDS = (
    (0, 0, "Data", ""),
    (1, 1, "Frozen", "CLIP, DINO"),
    (2, 2, "CAM", ""),
    (3, 5, "CMPA", "alignment"),
    (6, 6, "SGC", "correction"),
    (7, 7, "Labels", ""),
    (8, 8, "Segmenter", ""),
)

_STYLE = """
text { font: 14px system-ui, sans-serif; fill: var(--ink); }
.name { font: 600 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.makes, .note { font-size: 12.5px; fill: var(--soft); }
.band { font-weight: 700; }
.page { fill: var(--page); } .strip { fill: var(--strip); }
.box { fill: var(--box); stroke: var(--line); stroke-width: 1.5; }
.lane { fill: var(--lane); stroke: var(--orange); stroke-width: 1.5; stroke-dasharray: 6 4; }
.judge { stroke: var(--orange); }
.edge { fill: none; stroke: var(--line); stroke-width: 1.8; marker-end: url(#tip); }
.judging { stroke: var(--orange); marker-end: url(#orange-tip); }
.again { stroke-dasharray: 5 4; }
.badge { fill: var(--blue); } .number { font: 700 12.5px system-ui, sans-serif; fill: #fff; }
#tip path { fill: var(--line); } #orange-tip path { fill: var(--orange); }
svg { --page: #fff; --strip: #f2f5f8; --lane: #fdf6ec; --box: #fff; --ink: #16202a;
  --soft: #4c5a68; --line: #5b6b7b; --orange: #b35900; --blue: #0072b2; }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --strip: #161d26; --lane: #211a10;
  --box: #1d2733; --ink: #e8edf2; --soft: #a9b6c3; --line: #8a9aab; --orange: #e69f00; } }
"""


def draw_dag() -> str:
    """The SVG, readable on a light and on a dark page, without any outside font or picture."""
    parts = [*_frame(), *_edges(), *(line for rule in _RULES for line in _box(rule)), "</svg>"]
    return "\n".join(parts) + "\n"


def rule_names() -> tuple[str, ...]:
    """The rules that the picture shows, in the order of the data."""
    return tuple(_PLACES)


def _left(rule: _Rule) -> float:
    return _COLUMNS[rule.column]


def _top(row: float) -> float:
    return _TOP + row * _PITCH


def _frame() -> Iterator[str]:
    """Everything behind the boxes: page, bands with their names, lane of the evaluation."""
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-labelledby="title description">'
    )
    yield '<title id="title">The rules of SSR in the order of the data</title>'
    yield f'<desc id="description">{escape(_description())}</desc>'
    yield f"<style>{_STYLE}</style><defs>{_tip('tip')}{_tip('orange-tip')}</defs>"
    yield f'<rect class="page" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
    for first, last, name, what in _BANDS:
        top = _top(first) - 15
        height = (last - first) * _PITCH + _PITCH - 8
        yield f'<rect class="strip" x="12" y="{top}" width="806" height="{height}" rx="8"/>'
        middle = top + height / 2
        yield _text(24, middle + (-2 if what else 5), name, "band", "start")
        if what:
            yield _text(24, middle + 16, what, "note", "start")
    middle = _x("choose_threshold", 0.5)
    lane = _top(2) - 68
    length = _top(9) - 23 - lane
    yield f'<rect class="lane" x="824" y="{lane}" width="244" height="{length}" rx="8"/>'
    yield _text(middle, lane + 25, "Evaluation: nothing else", "note")
    yield _text(middle, lane + 42, "makes use of the masks", "note")
    yield from _legend()


def _legend() -> Iterator[str]:
    top = _top(9) + 4
    yield _text(
        24,
        top,
        "Every box is a rule; a rule that works on images runs once per shard.",
        "note",
        "start",
    )
    yield _text(24, top + 47, f"In some runs only: {', '.join(OCCASIONAL[:5])},", "note", "start")
    yield _text(24, top + 65, f"{', '.join(OCCASIONAL[5:])}.", "note", "start")
    yield _text(24, top + 25, "Scored stages:", "note", "start")
    left = 142.0
    for number, name in enumerate(STAGES, start=1):
        yield from _badge(left, top + 21, number)
        yield _text(left + 14, top + 25, name, "note", "start")
        left += 44 + 6.3 * len(name)


def _description() -> str:
    return "; ".join(f"{rule.name}: {rule.makes}" for rule in _RULES)


def _tip(name: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z"/></marker>'
    )


def _text(x: float, y: float, content: str, kind: str, anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(content)}</text>'


def _box(rule: _Rule) -> Iterator[str]:
    left, top, (width, height) = _left(rule), _top(rule.row), _BOX
    kind = "box judge" if rule.column == "evaluation" else "box"
    yield f'<rect class="{kind}" x="{left}" y="{top}" width="{width}" height="{height}" rx="7"/>'
    yield _text(left + width / 2, top + 24, rule.name, "name")
    middle = left + width / 2 - 11.5 * len(rule.scores)
    yield _text(middle, top + 43, rule.makes, "makes")
    for number, stage in enumerate(rule.scores):
        yield from _badge(middle + 3.5 * len(rule.makes) + 13 + 23 * number, top + 39, stage)
    if rule.stage:
        yield from _badge(left + width - 2, top + 4, rule.stage)


def _badge(x: float, y: float, number: int) -> Iterator[str]:
    yield f'<circle class="badge" cx="{x}" cy="{y}" r="10"/>'
    yield _text(x, y + 4.5, str(number), "number")


def _edges() -> Iterator[str]:
    """The arrows; where boxes stand side by side or below each other, a straight line."""
    yield _across("make_demo_dataset", "index_dataset")
    yield _across("index_dataset", "index_masks")
    yield _down("index_dataset", "extract_features")
    yield _path(_point("index_dataset", 0.8, 1), f"v17 H{_x('segment_superpixels', 0.5)}", "v17")
    yield _down("extract_features", "activate_initial_cams")
    yield _path(_point("encode_text", 0.5, 1), f"V{_y('activate_initial_cams', 0.5)}", "h134")
    yield _down("activate_initial_cams", "pool_samples")
    yield _path(_point("pool_samples", 0.15, 1), "v17", f"H{_x('cluster_prototypes', 0.5)} v17")
    yield _across("cluster_prototypes", "align_prototypes")
    yield from _next_round()
    yield _down("align_prototypes", "activate_aligned_cams")
    yield _down("activate_aligned_cams", "refine_cams")
    yield from _to_refinement()
    yield _down("refine_cams", "label_pixels")
    yield _path(_point("label_pixels", 0.15, 1), "v17", f"H{_x('train_segmenter', 0.5)} v17")
    yield _across("train_segmenter", "predict_logits")
    yield _across("predict_logits", "refine_predictions")
    yield from _judging()


def _next_round() -> Iterator[str]:
    start, end = _point("align_prototypes", 0.15, 1), _x("cluster_prototypes", 0.5)
    yield _path(start, "v20", f"H{end} v-20", "again")
    yield _text(end, start[1] + 37, "next round: renewed", "note")


def _to_refinement() -> Iterator[str]:
    """Attention and colour regions pass the alignment by."""
    corridor = _x("extract_features", 1) + 15
    attention = _point("extract_features", 1, 0.7)
    yield _path(attention, f"H{corridor} V{_y('refine_cams', 0.3)}", f"H{_x('refine_cams', 1)}")
    yield _text(corridor + 8, _y("activate_initial_cams", 0.5), "attention", "note", "start")
    regions = _point("segment_superpixels", 0.5, 1)
    yield _path(regions, f"V{_y('refine_cams', 0.7)}", f"H{_x('refine_cams', 1)}")
    yield _text(regions[0] + 8, _y("activate_initial_cams", 0.5), "colour regions", "note", "start")


def _judging() -> Iterator[str]:
    lane = _x("choose_threshold", 0.5)
    yield _path(_point("index_masks", 1, 0.5), f"H{lane}", f"V{_top(2) - 69}", "judging")
    yield _text(lane - 8, _y("index_masks", 0.5) - 9, "masks", "note", "end")
    start = _point("choose_threshold", 0, 0.75)
    yield _path(start, f"h-22 V{_y('label_pixels', 0.5)}", f"H{_x('label_pixels', 1)}", "judging")
    yield _text(start[0] - 30, _y("label_pixels", 0.5) - 9, "threshold", "note", "end")
    yield _down("choose_threshold", "evaluate_cams", "judging")
    for rule in _RULES:
        if rule.name.startswith("evaluate_"):
            end = f"V{_y('summarise', 0.5)} h-14"
            yield _path(_point(rule.name, 1, 0.5), "h14", end, "judging")
    yield _down("summarise", "build_report", "judging")


def _x(name: str, share: float) -> float:
    return _left(_PLACES[name]) + share * _BOX[0]


def _y(name: str, share: float) -> float:
    return _top(_PLACES[name].row) + share * _BOX[1]


def _point(name: str, across: float, down: float) -> tuple[float, float]:
    return _x(name, across), _y(name, down)


def _across(start: str, end: str) -> str:
    return _path(_point(start, 1, 0.5), f"H{_x(end, 0)}")


def _down(start: str, end: str, kind: str = "") -> str:
    return _path(_point(start, 0.5, 1), f"V{_y(end, 0)}", kind=kind)


def _path(start: tuple[float, float], first: str, last: str = "", kind: str = "") -> str:
    return f'<path class="edge {kind}" d="M{start[0]} {start[1]} {first} {last}"/>'
