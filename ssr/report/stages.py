"""What the stages and the pictures of the report are called, and what they show."""

from __future__ import annotations

from collections.abc import Iterable

STAGES = {
    "initial_cam": "Initial CAM",
    "aligned_cam": "Aligned CAM",
    "refined_cam": "Refined CAM",
    "pseudo_label": "Pseudo-label",
    "prediction": "Prediction",
    "prediction_crf": "Prediction + CRF",
}
"""Titles of the scored stages, in the order of the data."""

SHORT = dict(zip(STAGES, ("Init.", "Align.", "Refin.", "Label", "Pred.", "CRF"), strict=True))
"""The same for narrow columns."""

CAM_STAGES = ("initial_cam", "aligned_cam", "refined_cam")

PANELS = {
    "image": ("Image", "what the networks see; only its image-level labels are known"),
    "initial_cam": (
        STAGES["initial_cam"],
        "where CLIP's score of the class comes from: dark no, yellow most",
    ),
    "aligned_cam": (STAGES["aligned_cam"], "the same after the alignment of prototypes (CMPA)"),
    "regions": (
        "Colour regions",
        "superpixels (thin lines), each in the mean colour of its region",
    ),
    "target": ("Target mask", "bright: the patches from which activation may flow (SGC)"),
    "refined_cam": (STAGES["refined_cam"], "activation spread along attention from the target"),
    "pseudo_label": (STAGES["pseudo_label"], "class per pixel that the segmenter learns from"),
    "prediction": (STAGES["prediction"], "the trained segmenter's answer"),
    "prediction_crf": (STAGES["prediction_crf"], "the same after a dense CRF"),
    "truth": ("Ground truth", "the mask: read for evaluation, never by weak supervision"),
}
"""Title and explanation of every picture of an image, in the order of the data."""

# What other systems made, by the stage that it stands in for.
_FOREIGN = {"initial_cam": "the CAM of another system", "prediction": "another system's prediction"}


def foreign_panel(stage: str, method: str) -> str:
    """The name of the picture of what another system made."""
    return f"{stage}/{method}"


def titled(panel: str) -> tuple[str, str]:
    """Title and explanation of a picture."""
    stage, _, method = panel.partition("/")
    return (method, _FOREIGN[stage]) if method else PANELS[panel]


def in_order(panels: Iterable[str]) -> list[str]:
    """Names of pictures as they are shown: in the order of the data, other systems, the truth."""
    given = dict.fromkeys(panels)
    own = [panel for panel in PANELS if panel in given]
    foreign = [
        panel for stage in _FOREIGN for panel in given if panel.startswith(foreign_panel(stage, ""))
    ]
    last = own.index("truth") if "truth" in own else len(own)
    return [*own[:last], *foreign, *own[last:]]
