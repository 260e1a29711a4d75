"""Change one setting, and exactly the stages behind it run again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ssr.config import Config, Section
from ssr.data.source import SPLITS
from tests.workflow.conftest import Run, rules_in

pytestmark = pytest.mark.slow

# Rule: the rules that read what it writes.
READERS: dict[str, set[str]] = {
    "make_demo_dataset": {"index_dataset"},
    "index_dataset": {
        "index_masks",
        "extract_features",
        "segment_superpixels",
        "activate_initial_cams",
        "choose_heads",
        "activate_aligned_cams",
        "pool_samples",
        "cluster_prototypes",
        "label_pixels",
        "train_segmenter",
        "predict_logits",
        "refine_predictions",
        "choose_threshold",
        "evaluate_cams",
        "evaluate_labels",
        "evaluate_logits",
        "evaluate_predictions",
        "build_report",
    },
    "index_masks": {
        "choose_heads",
        "choose_threshold",
        "evaluate_cams",
        "evaluate_labels",
        "evaluate_logits",
        "evaluate_predictions",
        "build_report",
    },
    "check_backbones": {"extract_features"},
    "encode_text": {
        "activate_initial_cams",
        "pool_samples",
        "cluster_prototypes",
        "choose_heads",
        "activate_aligned_cams",
        "train_segmenter",
    },
    "extract_features": {
        "activate_initial_cams",
        "pool_samples",
        "choose_heads",
        "activate_aligned_cams",
        "refine_cams",
    },
    "segment_superpixels": {"refine_cams", "build_report"},
    "activate_initial_cams": {
        "pool_samples",
        "refine_cams",
        "choose_threshold",
        "evaluate_cams",
        "build_report",
    },
    "pool_samples": {"cluster_prototypes"},
    "cluster_prototypes": {"align_prototypes", "build_report"},
    "align_prototypes": {"cluster_prototypes", "choose_heads"},
    "choose_heads": {"activate_aligned_cams", "build_report"},
    "activate_aligned_cams": {"refine_cams", "choose_threshold", "evaluate_cams", "build_report"},
    "refine_cams": {"choose_threshold", "evaluate_cams", "label_pixels", "build_report"},
    "choose_threshold": {"evaluate_cams", "label_pixels", "evaluate_labels"},
    "label_pixels": {"train_segmenter", "evaluate_labels", "build_report"},
    "train_segmenter": {"predict_logits"},
    "predict_logits": {"refine_predictions", "evaluate_logits", "build_report"},
    "refine_predictions": {"evaluate_predictions", "build_report"},
    "evaluate_cams": {"summarise", "build_report"},
    "evaluate_labels": {"summarise", "build_report"},
    "evaluate_logits": {"summarise", "build_report"},
    "evaluate_predictions": {"summarise", "build_report"},
    "summarise": {"build_report"},
    "build_report": set(),
}

# What is recorded is what was used: every setting is part of the summary and the report.
RECORDS = {"summarise", "build_report"}
EVALUATIONS = {name for name in READERS if name.startswith("evaluate")}
WITH_CLIP = {
    "check_backbones",
    "encode_text",
    "extract_features",
    "activate_initial_cams",
    "pool_samples",
    "cluster_prototypes",
    "choose_heads",
    "activate_aligned_cams",
    "train_segmenter",
    "predict_logits",
}

# Setting, or section for all its settings: the rules that use it.
USERS: dict[str, set[str]] = {
    "dataset": set(READERS) - {"make_demo_dataset"},
    "seeds": {"segment_superpixels", "cluster_prototypes", "align_prototypes", "train_segmenter"},
    "data": {"index_dataset"},
    "data.root": {"make_demo_dataset"},
    "data.classes": {"index_dataset", "encode_text"},
    "data.demo": {"make_demo_dataset"},
    "images": {"index_dataset", "extract_features", "segment_superpixels"},
    "backbones.clip": WITH_CLIP,
    "backbones.dino": {"check_backbones", "extract_features"},
    "pretraining": set(),  # no backbone is trained here
    "text": {"encode_text"},
    "features": {"extract_features"},
    "superpixels": {"segment_superpixels"},
    "cams": {"activate_initial_cams"},
    "prototypes": {"pool_samples"},
    "prototypes.clusters": {"cluster_prototypes"},
    "alignment": {"cluster_prototypes", "align_prototypes"},
    "alignment.trains": {"pool_samples", "cluster_prototypes", "align_prototypes"},  # and pooling
    "alignment.enabled": {"refine_cams"},
    "alignment.looks": {"align_prototypes"},
    "aligned_cams": {"choose_heads", "activate_aligned_cams"},
    "refinement": {"refine_cams"},
    "labels": {"label_pixels"},
    "segmenter": {"train_segmenter"},
    "segmenter.gamma": set(),  # of joint training
    "prediction": {"predict_logits"},
    "crf": {"refine_predictions"},
    "evaluation.cam_split": {"evaluate_cams", "evaluate_labels"},
    "evaluation.cam_list": {"evaluate_cams", "evaluate_labels"},
    "evaluation.prediction_split": {"predict_logits"},
    "evaluation.protocol": {"evaluate_cams"},
    "report": {"build_report"},
}

# Another valid value, where it is not simply one more, half, or the opposite.
OTHER: dict[str, Any] = {
    "dataset": "other",
    "seeds": [1],
    "data.format": "folder",
    "data.root": "data/other",
    "data.masks": "masks2",
    "data.mask_colours": {"bird": "#ff0000"},
    "data.labels_file": "labels.json",
    "data.classes": ["horse", "sofa"],
    "data.shard_size": "auto",
    "data.demo.correlation": 0.5,
    "images.max_side": 64,
    "backbones.clip.model": "backbones/standin_clip.json",
    "backbones.clip.weights": "random",
    "backbones.clip.sha256": "0" * 64,
    "backbones.dino.model": "vit_small_patch16_224",
    "backbones.dino.weights": "random",
    "backbones.dino.sha256": "0" * 64,
    "text.templates": ["{}"],
    "text.prompts": {"bird": "bird photo"},
    "text.backgrounds": ["sky"],
    "cams.score": "gradient",
    "cams.gradient": "cosine",
    "aligned_cams.score": "gradient",
    "aligned_cams.gradient": "cosine",
    "aligned_cams.background": "clip",
    "features.precision": "float16",
    "features.positions": "bilinear",
    "prototypes.clusters": 7,
    "prototypes.sample": "image",
    "prototypes.pooling": "after",
    "alignment.trains": "last_block",
    "alignment.loss": "feature",
    "alignment.stop": "last",
    "refinement.affinity": "none",
    "refinement.mask": "none",
    "refinement.normalised": "each",
    "labels.background": "power",
    "labels.threshold": 0.5,
    "labels.crf": {"iterations": 5},
    "segmenter.loss": "foreground_background",
    "segmenter.micro_batch": 1,
    "segmenter.config": "mmseg::fcn",
    "segmenter.blocks": [0, 1],
    "segmenter.width": 64,
    "segmenter.crop_size": 120,
    "segmenter.heads": 4,
    "segmenter.scale_range": [0.75, 1.5],
    "segmenter.warmup": 1,
    "segmenter.precision": "bfloat16",
    "prediction.max_side": 64,
    "prediction.scales": [1.0],
    "evaluation.cam_split": "train",
    "evaluation.cam_list": "some.txt",
    "evaluation.prediction_split": "train",
    "evaluation.protocol": "published",
    "methods": {"box_mask": {"refinement": {"mask": "none"}}},
    "ablations": ["table_4"],
    "foreign": {"peer": {"path": "peer", "format": "npy"}},
    "segmenter_methods": ["ssr", "box_mask"],
    "feedback": 1,
}

# Where only some jobs of a rule are touched, and so not everything behind it.
EXACT: dict[str, set[str]] = {
    "methods": {"refine_cams", "label_pixels", "choose_threshold", "evaluate_cams"}
    | {"evaluate_labels"},
    "ablations": {"cluster_prototypes", "align_prototypes", "choose_heads", "activate_aligned_cams"}
    | {"refine_cams", "label_pixels", "choose_threshold", "evaluate_cams", "evaluate_labels"},
    "foreign": {"import_cams", "refine_cams", "label_pixels", "choose_threshold"}
    | {"evaluate_cams", "evaluate_labels"},
    "evaluation.cam_split": {"refine_cams", "label_pixels", "evaluate_cams", "evaluate_labels"},
    "segmenter_methods": {"refine_cams", "label_pixels", "train_segmenter", "predict_logits"}
    | {"refine_predictions", "evaluate_logits", "evaluate_predictions"},
    "feedback": {"predict_logits", "feed_back_logits", "refine_cams", "label_pixels"}
    | {"choose_threshold", "train_segmenter", "refine_predictions"}
    | EVALUATIONS,
    "segmenter.joint": {"train_jointly", "predict_logits", "refine_predictions"}
    | {"evaluate_logits", "evaluate_predictions"},
    "alignment.enabled": {"refine_cams", "choose_threshold", "evaluate_cams", "label_pixels"}
    | {"train_segmenter", "predict_logits", "refine_predictions"}
    | EVALUATIONS,
}


def leaves(section: Section, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting as (dotted key, default)."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def behind(rules: set[str]) -> set[str]:
    """`rules` and everything that reads from them, directly or not."""
    found = set(rules)
    while more := {reader for rule in found for reader in READERS[rule]} - found:
        found |= more
    return found


EXACT["alignment.stop"] = behind({"align_prototypes"}) - {"choose_heads"}


def as_override(key: str, value: Any) -> str:
    """`a.b.c` and a value as an argument of `--config`."""
    top, *below = key.split(".")
    for name in reversed(below):
        value = {name: value}
    return f"{top}={json.dumps(value)}"


def users_of(key: str) -> set[str]:
    """The rules of the longest entry of USERS that `key` belongs to."""
    parts = key.split(".")
    prefixes = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next(USERS[prefix] for prefix in prefixes if prefix in USERS)


def another(key: str, value: Any) -> Any:
    """A valid value that differs from `value`."""
    if key in OTHER:
        return OTHER[key]
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value / 2


# Another list has no images here.
LISTS = tuple(f"data.splits.{split}" for split in SPLITS)
# Refused alone: the patch is CLIP's, CAMs and predictions are those of a system that `foreign`
# names, or of a method's segmenter, and one method alone may learn from masks.
BOUND = (
    *("images.patch", "cams.foreign", "cams.segmenter", "prediction.foreign"),
    "labels.source",
)
SETTINGS = [(key, value) for key, value in leaves(Config()) if key not in (*LISTS, *BOUND)]


@pytest.mark.parametrize(("key", "value"), SETTINGS, ids=[key for key, _ in SETTINGS])
def test_a_setting_reruns_exactly_the_stages_behind_it(mini: Run, key: str, value: Any) -> None:
    printed = mini("-n", "--config", as_override(key, another(key, value)))
    rules = EXACT[key] | RECORDS if key in EXACT else behind(users_of(key) | RECORDS)
    assert rules_in(printed) == rules


@pytest.mark.parametrize("key", LISTS)
def test_a_list_without_images_is_an_error_before_anything_runs(clone: Run, key: str) -> None:
    done = clone("-n", "--config", as_override(key, "other"), check=False)
    assert done.returncode != 0
    assert f"error: {key}: there is no image in other" in done.stdout + done.stderr
