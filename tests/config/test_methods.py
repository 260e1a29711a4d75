"""What a method may vary, and what methods share: a row costs only what it changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ssr.config import Config
from ssr.config.methods import ENTERING, METHOD_SECTIONS, method_config, owner
from ssr.config.settings import parse_config

TO_FEATURES = ["backbones", "features"]
FROM_HEADS = ["heads", "aligned_cam"]
FROM_REFINEMENT = ["refined_cam", "pseudo_label", "segmenter", "prediction", "prediction_crf"]
FROM_CAMS = ["initial_cam", "samples", *FROM_HEADS, *FROM_REFINEMENT]


def own(overrides: dict[str, Any], base: dict[str, Any] | None = None) -> list[str]:
    """What a method with these overrides makes for itself, beside one without any."""
    config = Config.model_validate({**(base or {}), "methods": {"ssr": {}, "row": overrides}})
    return [made for made in ENTERING if owner(config, "row", made) == "row"]


@pytest.mark.parametrize(
    ("overrides", "made"),
    [
        ({}, []),
        ({"images": {"max_side": 64}}, ["features", "superpixels", *FROM_CAMS]),
        (
            {"backbones": {"clip": {"weights": "random"}}},
            ["clip", "backbones", "text", "features", *FROM_CAMS],
        ),
        (
            {"backbones": {"dino": {"weights": "random"}}},
            ["dino", *TO_FEATURES, *FROM_REFINEMENT],
        ),
        ({"pretraining": {"side": 99}}, []),
        ({"text": {"backgrounds": ["sky"]}}, ["text", *FROM_CAMS]),
        ({"features": {"clip_attention_blocks": 2}}, ["features", *FROM_REFINEMENT]),
        ({"features": {"precision": "float16"}}, ["features", *FROM_CAMS]),
        ({"features": {"positions": "bilinear"}}, ["features", *FROM_CAMS]),
        ({"superpixels": {"segments": 50}}, ["superpixels", *FROM_REFINEMENT]),
        ({"cams": {"score": "gradient"}}, FROM_CAMS),
        ({"prototypes": {"clusters": 5}}, [*FROM_HEADS, *FROM_REFINEMENT]),
        (
            {"prototypes": {"background_below": 0.4}},
            ["samples", *FROM_HEADS, *FROM_REFINEMENT],
        ),
        ({"alignment": {"looks": 9}}, [*FROM_HEADS, *FROM_REFINEMENT]),
        ({"alignment": {"stop": "last"}}, ["aligned_cam", *FROM_REFINEMENT]),
        ({"refinement": {"mask": "box"}}, FROM_REFINEMENT),
        ({"labels": {"source": "masks"}}, ["features", "superpixels", *FROM_CAMS]),
        ({"segmenter": {"layers": 2}}, FROM_REFINEMENT[2:]),
        ({"crf": {"iterations": 5}}, ["prediction_crf"]),
    ],
    ids=json.dumps,
)
def test_a_method_makes_for_itself_what_its_settings_enter(
    overrides: dict[str, Any], made: list[str]
) -> None:
    assert own(overrides) == made


def test_what_learns_from_masks_makes_no_cams_that_others_could_share() -> None:
    other = {"images": {"max_side": 64}}
    rows = {"first": other, "fully_supervised": {"labels": {"source": "masks"}}, "late": {}}
    config = Config.model_validate({"methods": rows, "segmenter_methods": ["late"]})
    assert {owner(config, "late", made) for made in ENTERING} == {"first", "late"}


@pytest.mark.parametrize(
    ("overrides", "networks"),
    [
        ({"pretraining": {"side": 99}}, ["clip", "dino"]),
        ({"pretraining": {"clip_steps": 9}}, ["clip"]),
        ({"pretraining": {"dino_steps": 9}}, ["dino"]),
        ({"text": {"backgrounds": ["sky"]}}, ["clip"]),  # its captions
        ({"superpixels": {"segments": 50}}, []),
    ],
    ids=json.dumps,
)
def test_a_network_that_is_trained_here_depends_on_its_training(
    overrides: dict[str, Any], networks: list[str]
) -> None:
    trained = {
        name: {"model": f"backbones/standin_{name}.json", "weights": "train"}
        for name in ("clip", "dino")
    }
    made = own(overrides, {"backbones": trained})
    assert [name for name in ("clip", "dino") if name in made] == networks
    assert ("features" in made) == bool(networks)


def test_every_section_that_a_method_may_override_enters_something() -> None:
    entering = {path.partition(".")[0] for paths in ENTERING.values() for path in paths}
    assert entering | {"pretraining", "feedback"} == set(METHOD_SECTIONS)
    assert not {"data", "dataset", "evaluation", "methods"} & set(METHOD_SECTIONS)


def test_later_methods_share_with_each_other() -> None:
    fine = {"superpixels": {"segments": 50}}
    methods = {"ssr": {}, "fine": fine, "box": {**fine, "refinement": {"mask": "box"}}}
    config = Config.model_validate({"methods": methods})
    assert [owner(config, "box", made) for made in ("features", "superpixels", "refined_cam")] == [
        "ssr",
        "fine",
        "box",
    ]


def test_the_first_of_equal_methods_is_the_owner_in_every_order() -> None:
    for names in (("a", "b"), ("b", "a")):
        methods: dict[str, Any] = {name: {} for name in names}
        config = Config.model_validate({"methods": methods})
        assert owner(config, names[1], "features") == names[0]


def test_without_masks_the_last_heads_are_those_of_every_method() -> None:
    best = {"ssr": {}, "best": {"alignment": {"stop": "tune"}}}
    config = parse_config({"data": {"masks": None}, "labels": {"threshold": 0.4}, "methods": best})
    assert method_config(config, "best").alignment.stop == "last"
    assert method_config(Config(), "ssr").alignment.stop == "tune"


@pytest.mark.parametrize(
    ("alignment", "pooling"),
    [
        ({"trains": "heads"}, "before"),
        ({"trains": "last_block"}, "after"),
        ({"trains": "last_block", "loss": "image_labels"}, "before"),
    ],
)
def test_samples_are_pooled_behind_a_last_block_that_is_trained_on_them(
    alignment: dict[str, Any], pooling: str
) -> None:
    config = Config.model_validate({"methods": {"ssr": {}, "other": {"alignment": alignment}}})
    other = method_config(config, "other")
    assert other.prototypes.pooling == pooling
    assert other.aligns_patches == (alignment["trains"] == "last_block")
    assert method_config(config, "ssr").prototypes.pooling == "before"


def test_a_method_changes_only_what_it_names() -> None:
    config = Config()
    box = method_config(config, "box_mask")
    assert box.refinement.mask == "box"
    assert box.refinement.model_copy(update={"mask": config.refinement.mask}) == config.refinement
    assert box.alignment == config.alignment
