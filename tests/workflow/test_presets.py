"""Rows of peers in the DAG of the demo."""

from __future__ import annotations

import re

from tests.workflow.conftest import Run


def test_rows_of_peers_stand_beside_the_method(clone: Run) -> None:
    files = ("--configfile", "config/clip_es.yaml", "config/weclip.yaml")
    printed = clone("-n", *files).stdout
    made = set(re.findall(r"results/demo/(\w+)/((?:\w+/)?(?:clip_es|weclip))/", printed))
    assert made >= {("pseudo_labels", "clip_es"), ("pseudo_labels", "weclip")}
    assert made >= {("segmenter", "weclip"), ("predictions", "weclip")}
    # One pass and one refinement serve both; nothing is trained between.
    assert {row for part, row in made if part in ("features", "cams")} == {
        "clip_es",
        "initial/clip_es",
        "refined/clip_es",
    }
    assert not {part for part, _ in made} & {"prototypes", "alignment", "superpixels", "text"}
