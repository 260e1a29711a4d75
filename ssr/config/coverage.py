"""What a run makes: which stages of which methods, for the images of which splits.

All of it follows from the settings. The rules ask here, and so does whoever must say why something
is not there.
"""

from __future__ import annotations

from ssr.config import Config
from ssr.config.methods import method_config, owner, teacher

STAGES = (
    *("initial_cam", "aligned_cam", "refined_cam", "pseudo_label"),
    *("prediction", "prediction_crf"),
)
"""The scored stages in the order of the data."""

FOLDERS = {
    "features": "features",
    "superpixels": "superpixels",
    "initial_cam": "cams/initial",
    "aligned_cam": "cams/aligned",
    "refined_cam": "cams/refined",
    "pseudo_label": "pseudo_labels",
    "prediction": "logits",
    "prediction_crf": "predictions",
}
"""Below results/{dataset}, where the stores of a stage lie; each method has a folder of its own."""

IMPORTED = "imported"
"""The same of predictions of another system, which are label maps."""

NOT_YET = "not run yet"
_PREDICTIONS = ("prediction", "prediction_crf")
OF_LABELS = ("initial_cam", "aligned_cam", "refined_cam", "pseudo_label")
"""Made of the classes that an image is labelled with: an image without labels has none."""


def is_evaluated(config: Config) -> bool:
    """Whether anything is tuned and evaluated: not without masks."""
    return config.data.masks is not None


def reported_split(config: Config, stage: str) -> str:
    """The split on which `stage` is reported; without masks, whose pictures are shown."""
    final = stage in _PREDICTIONS
    if is_evaluated(config):
        return config.evaluation.prediction_split if final else config.evaluation.cam_split
    return "test" if final and config.data.splits.test is not None else "train"


def stages_of(config: Config, method: str) -> list[str]:
    """The scored stages that a method has."""
    return [stage for stage in STAGES if why_never(config, method, stage) is None]


def folder_of(config: Config, method: str, stage: str) -> str:
    """Below results/{dataset}, where the stores of a stage, any of `FOLDERS`, of a method lie."""
    foreign = method_config(config, method).prediction.foreign
    return IMPORTED if stage == "prediction" and foreign else FOLDERS[stage]


def why_never(config: Config, method: str, stage: str) -> str | None:
    """Why a method has no such stage; None: it has one."""
    if method_config(config, method).prediction.foreign:
        alone = f"method {method} is the predictions of another system"
        return None if stage == "prediction" else alone
    if stage not in _PREDICTIONS and method_config(config, method).learns_from_masks:
        return f"method {method} learns from masks"
    if stage == "aligned_cam" and not method_config(config, method).alignment.enabled:
        return f"method {method} has no alignment"
    if stage in _PREDICTIONS and method not in config.segmenter_methods:
        return f"method {method} trains no segmenter"
    return None


def splits_of(config: Config, method: str, stage: str) -> set[str]:
    """The splits for whose images a stage of a method is made, by all targets together.

    `stage` is any of `FOLDERS`; methods that share an artefact make it together.
    """
    shared = owner(config, method, stage)
    sharing = (name for name in config.methods if owner(config, name, stage) == shared)
    having = [name for name in sharing if not why_never(config, name, stage)]
    return set().union(*(_own_splits(config, name, stage) for name in having))


def _own_splits(config: Config, method: str, stage: str) -> set[str]:
    """The splits for which a method by itself needs a stage that it has."""
    if stage == "features":
        return _splits_of_features(config, method)
    splits = {reported_split(config, stage)}
    if method_config(config, method).prediction.foreign:
        return splits
    if stage in _PREDICTIONS:
        taught = [name for name in config.methods if teacher(config, name) == method]
        used = [splits_of(config, name, "initial_cam") for name in taught]
        return splits.union({"test"}, *(used if stage == "prediction" else []))
    if is_evaluated(config) and stage != "pseudo_label":
        splits.add("tune")
    # The first method has targets of its own. Prototypes are of the initial CAMs.
    first = method == next(iter(config.methods))
    clusters = stage == "initial_cam" and method_config(config, method).alignment.enabled
    return splits | {"train"} if first or clusters or _learns(config, method, stage) else splits


def _learns(config: Config, method: str, stage: str) -> bool:
    """Whether the segmenter of a method needs what a stage makes of train."""
    if method not in config.segmenter_methods:
        return False
    # Joint training makes CAMs and labels by itself.
    return not method_config(config, method).segmenter.joint or stage not in OF_LABELS


def _splits_of_features(config: Config, method: str) -> set[str]:
    """The splits whose features a method reads: to refine, and for all CAMs that are its own."""
    readers = ("initial_cam", "aligned_cam")
    own = [
        stage
        for stage in readers
        if owner(config, method, stage) == method and not why_never(config, method, stage)
    ]
    splits = set().union(*(splits_of(config, method, stage) for stage in own))
    if method_config(config, method).alignment.enabled and owner(config, method, "heads") == method:
        splits.add("train")
    if method_config(config, method).segmenter.joint and method in config.segmenter_methods:
        splits.add("train")
    return splits | splits_of(config, method, "refined_cam")


def why_absent(config: Config, method: str, stage: str, split: str, labelled: bool = True) -> str:
    """Why a stage of a method is not there for an image: never made, or not yet.

    Args:
        config: all settings.
        method: any of them.
        stage: any of `FOLDERS`.
        split: that of the image.
        labelled: whether the image has a label.
    """
    if reason := why_never(config, method, stage):
        return reason
    if split not in splits_of(config, method, stage):
        return f"not made for split {split}"
    if stage in OF_LABELS and not labelled:
        return "the image has no label to learn from"
    return NOT_YET
