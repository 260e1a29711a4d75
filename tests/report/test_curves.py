from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from ssr.errors import InputError
from ssr.report import curves
from ssr.report.evaluations import Evaluations
from ssr.report.files import figure_files
from ssr.report.stages import STAGES
from tests.report.finished_run import FinishedRun


def line(axes: Axes, label: str) -> np.ndarray:
    (found,) = (line for line in axes.get_lines() if line.get_label() == label)
    return np.asarray(found.get_xydata())


def test_stages_are_a_line_per_method(evaluations: Evaluations) -> None:
    (axes,) = curves.draw_stages(evaluations, ["ssr", "clip"]).axes
    figures = evaluations.of("ssr", "refined_cam")
    assert figures is not None
    assert line(axes, "ssr")[2].tolist() == [2, 100 * figures["miou"]]
    assert line(axes, "clip")[:3, 0].tolist() == [0, 2, 3], "no aligned CAM"
    assert np.isnan(line(axes, "clip")[3:]).all(), "no segmenter"
    assert [text.get_text() for text in axes.get_xticklabels()] == list(STAGES.values())
    assert f"{100 * figures['miou']:.1f}" in {text.get_text() for text in axes.texts}


def test_no_line_leads_from_stages_that_know_the_labels_to_predictions(
    evaluations: Evaluations,
) -> None:
    (axes,) = curves.draw_stages(evaluations, ["ssr", "clip"]).axes
    assert line(axes, "ssr")[:, 0].tolist() == pytest.approx(
        [0, 1, 2, 3, np.nan, 4, 5], nan_ok=True
    )
    assert {"image labels known", "not known"} <= {text.get_text() for text in axes.texts}
    (axes,) = curves.draw_stages(evaluations, ["clip"]).axes
    assert "not known" not in {text.get_text() for text in axes.texts}, "it has no predictions"


def test_over_seeds_bars_are_as_long_as_the_deviation(
    evaluations: Evaluations, seeded: Evaluations
) -> None:
    for found, bars in ((evaluations, 0), (seeded, 1)):
        (axes,) = curves.draw_stages(found, ["ssr", "clip"]).axes
        assert len(axes.collections) == bars
    segments = axes.collections[0].get_segments()
    assert segments[2][1][1] - segments[2][0][1] == pytest.approx(2 * 10 / 2**0.5)
    assert line(axes, "ssr")[2][1] == pytest.approx(segments[2][:, 1].mean())


def test_threshold_curve_has_its_marker_at_the_top(evaluations: Evaluations) -> None:
    (axes,) = curves.draw_thresholds(evaluations, "ssr").axes
    tuned = evaluations.tuned("ssr", "refined_cam")
    assert tuned is not None
    curve = line(axes, f"Refined CAM: {tuned['threshold']:.2f}")
    top = curve[curve[:, 1].argmax()]
    assert top[0] == pytest.approx(tuned["threshold"])
    markers = [found.get_xydata()[0] for found in axes.get_lines() if len(found.get_xydata()) == 1]
    assert any(np.allclose(marker, top) for marker in markers)


def test_threshold_curve_leaves_out_missing_stages(evaluations: Evaluations) -> None:
    (legend,) = curves.draw_thresholds(evaluations, "clip").legends
    labels = [text.get_text().partition(":")[0] for text in legend.get_texts()]
    assert labels == ["Initial CAM", "Refined CAM"]


@pytest.mark.parametrize(("method", "last"), [("ssr", "prediction_crf"), ("clip", "pseudo_label")])
def test_bars_are_the_classes_of_the_last_stage(
    evaluations: Evaluations, method: str, last: str
) -> None:
    (axes,) = curves.draw_classes(evaluations, method).axes
    figures = evaluations.of(method, last)
    assert figures is not None
    bars = {
        label.get_text(): bar.get_width()
        for label, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)
    }
    expected = {name: 100 * own["iou"] for name, own in figures["per_class"].items()}
    assert bars == pytest.approx(expected)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert f"{STAGES[last]} (val)" in legend


def test_rounds_follow_each_other(finished: FinishedRun) -> None:
    rounds = [finished.results / f"alignment/ssr/{number}.csv" for number in (1, 2)]
    (axes,) = curves.draw_losses({"ssr": rounds}, "alignment").axes
    assert line(axes, "ssr")[:, 0].tolist() == list(range(1, 61))
    starts = {found.get_xdata()[0] for found in axes.get_lines() if len(found.get_xdata()) == 60}
    assert starts == {1, 61}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ssr"]


def test_looks_are_a_line_with_a_marker_on_the_choice(tmp_path: Path) -> None:
    path = tmp_path / "chosen.csv"
    path.write_text("iteration,threshold,miou\n0,0.4,0.25\n12,0.5,0.5\n25,0.5,0.5\n")
    (axes,) = curves.draw_looks({"ssr": path}).axes
    assert line(axes, "ssr: chosen 12").tolist() == [[0, 25], [12, 50], [25, 50]]
    markers = [found.get_xydata() for found in axes.get_lines() if len(found.get_xydata()) == 1]
    assert [marker.tolist() for marker in markers] == [[[12, 50]]]


def test_losses_are_read_from_their_column(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("iteration,loss,rate\n1,0.5,7\n2,0.25,7\n")
    assert curves.read_column(path, "loss").tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    "content",
    [b"", b"iteration,loss\n", b"iteration\n1\n", b"iteration,loss\n1\n", b"iteration,loss\n1,a\n",
     b"\xff\xfe", b"iteration,loss\n1,\0\n"],
    ids=["empty", "no_row", "no_column", "short_row", "no_number", "no_text", "zero_byte"],
)  # fmt: skip
def test_a_broken_history_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(content)
    said = rf"^{path}: is no history of a training \(.*\); delete it to go without"
    with pytest.raises(InputError, match=said):
        curves.read_column(path, "loss")


def test_running_mean_smooths_and_keeps_the_level() -> None:
    values = np.tile([0.0, 1.0], 50)
    smooth = curves.running_mean(values)
    assert smooth.shape == values.shape
    assert np.abs(smooth - 0.5).max() < 0.25
    assert curves.running_mean(np.ones(100)).tolist() == pytest.approx([1] * 100)
    assert curves.running_mean(np.array([3.0])).tolist() == [3]


def test_dark_charts_differ_from_light_ones(finished: FinishedRun) -> None:
    def chart(dark: bool) -> bytes:
        with curves.theme(dark):
            histories = {"ssr": [finished.results / "segmenter/ssr/history.csv"]}
            return figure_files(curves.draw_losses(histories, "segmenter"), ("png",), 40)["png"]

    assert chart(dark=True) != chart(dark=False)
    assert chart(dark=True) == chart(dark=True), "the same figures give the same bytes"
