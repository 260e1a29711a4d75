"""Ready rows: the ablations of the paper's tables, and the readings of what it leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from ssr.config.section import NULL

Ablation = Literal["table_3", "table_4", "table_6", "readings"]

FULLY_SUPERVISED = "fully_supervised"
"""The one method whose segmenter learns from masks, those of train."""

Methods = dict[str, dict[str, Any]]

DEFAULT_METHODS: Methods = {
    "ssr": {},
    "clip": {"alignment": {"enabled": False}},
    "no_refinement": {"refinement": {"affinity": "none"}},
    "clip_attention": {"refinement": {"mask": "none", "clip_weight": 1.0, "dino_weight": 0.0}},
    "clip_dino_attention": {"refinement": {"mask": "none"}},
    "box_mask": {"refinement": {"mask": "box"}},
}

_READINGS: Methods = {
    # What scores an image: Grad-CAM or the patch-text map, before and behind CMPA.
    "grad_cam": {"cams": {"score": "gradient"}, "aligned_cams": {"score": "gradient"}},
    "patch_text_map": {"cams": {"score": "similarity"}, "aligned_cams": {"score": "similarity"}},
    # What CMPA learns from, what it trains, and when it stops.
    "mean_patch": {"prototypes": {"sample": "image"}},
    "both_samples": {"prototypes": {"sample": "both"}},
    "pooled_behind": {"prototypes": {"pooling": "after"}, "alignment": {"batch_size": 32}},
    "unit_patches": {"prototypes": {"unit_patches": True}},
    "clusters_40": {"prototypes": {"clusters": 40}},
    "image_labels": {"alignment": {"loss": "image_labels", "batch_size": 8}},
    "linear_heads": {"alignment": {"layers": 0}},
    "last_block": {"alignment": {"trains": "last_block", "batch_size": 16}},
    "last_heads": {"alignment": {"stop": "last"}},
    # Affinity: CLIP's share of the attention, what is normalised, and the power.
    "clip_share_80": {"refinement": {"clip_weight": 0.8, "dino_weight": 0.2}},
    "clip_share_0": {"refinement": {"clip_weight": 0.0, "dino_weight": 1.0}},
    "each_normalised": {"refinement": {"normalised": "each"}},
    "power_1": {"refinement": {"power": 1}},
    "power_2": {"refinement": {"power": 2}},
    # Mask and regions.
    "box_mask": DEFAULT_METHODS["box_mask"],
    "both_masks": {"refinement": {"mask": "box+superpixel"}},
    "targets_10": {"refinement": {"region_threshold": 0.1}},
    "superpixels_200": {"superpixels": {"segments": 200}},
    "colours_8": {"superpixels": {"colour_regions": 8}},
}

ABLATIONS: Mapping[str, Methods] = {
    "table_3": {
        name: DEFAULT_METHODS[name]
        for name in ("no_refinement", "clip_attention", "clip_dino_attention")
    },
    "table_4": {
        "clip": DEFAULT_METHODS["clip"],
        "feature": {"alignment": {"loss": "feature"}},
        "in_modal": {"alignment": {"loss": "in_modal"}},
    },
    "table_6": {FULLY_SUPERVISED: {"labels": {"source": "masks"}}},
    "readings": _READINGS,
}
"""By name: methods that stand beside the first one; Table 3 and 4 end with it."""


def with_ablations(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` of a configuration, with the ablations that they name among the methods.

    A method that `values` give stays as it is, and null drops a row; but configurations leave
    methods of config.yaml out by null, which then come back. What is not understood stays for the
    models to refuse.
    """
    named, methods = values.get("ablations"), values.get("methods", DEFAULT_METHODS)
    if not isinstance(named, list | tuple) or not isinstance(methods, Mapping):
        return dict(values)
    if any(name not in get_args(Ablation) for name in named):
        return dict(values)
    rows = {row: ABLATIONS[name][row] for name in named for row in ABLATIONS[name]}
    left_out = {name for name in DEFAULT_METHODS if methods.get(name, {}) in (None, NULL)}
    own = {name: given for name, given in methods.items() if name not in left_out & {*rows}}
    return {**values, "ablations": (), "methods": {**methods, **rows, **own}}
