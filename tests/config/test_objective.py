"""Joint training: what it asks of other settings, and of which methods it is."""

from __future__ import annotations

from typing import Any

import pytest

from ssr.config import Config
from ssr.config.coverage import splits_of
from ssr.config.methods import ENTERING, method_config, owner
from ssr.config.settings import parse_config
from ssr.errors import InputError

JOINT = {"segmenter": {"joint": True}}


def parse(**values: Any) -> Config:
    return parse_config({"methods": {"ssr": {}}, **values})


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ({"alignment": {"enabled": False}}, "alignment.enabled: true {}; came false"),
        ({"alignment": {"trains": "last_block"}}, "alignment.trains: heads {}; came last_block"),
        ({"alignment": {"loss": "image_labels"}}, "alignment.loss: of samples {}; came image_l"),
        ({"prototypes": {"pooling": "after"}}, "prototypes.pooling: before {}; came after"),
        ({"segmenter": {"joint": True, "text": False}}, "segmenter.text: true {}; came false"),
        (
            {"segmenter": {"joint": True, "micro_batch": 2}},
            "segmenter.micro_batch: 8 {}; came 2",
        ),
        (
            {"segmenter": {"joint": True, "config": "mmseg::fcn"}},
            "segmenter.config: null {}; came mmseg::fcn",
        ),
    ],
)
def test_it_needs_heads_that_both_losses_reach(values: dict[str, Any], finding: str) -> None:
    line = finding.format("where segmenter.joint is true")
    with pytest.raises(InputError) as caught:
        parse(**(JOINT | values))
    found = str(caught.value).splitlines()
    assert any(each.startswith(f"  {line}") for each in found)
    parse(**(JOINT | values), segmenter_methods=[])


def test_only_its_segmenter_is_its_own() -> None:
    config = parse(methods={"ssr": {}, "joint": JOINT}, segmenter_methods=["ssr", "joint"])
    own = [name for name in ENTERING if owner(config, "joint", name) == "joint"]
    assert own == ["segmenter", "prediction", "prediction_crf"]


def test_what_has_no_alignment_is_trained_as_ever() -> None:
    peer = {"peer": {"path": "cams", "format": "npy"}}
    names = ["ssr", "peer"]
    config = parse(
        **JOINT, foreign=peer, feedback=1, segmenter_methods=names, ablations=["table_6"]
    )
    joint = {name: method_config(config, name).segmenter.joint for name in config.methods}
    assert [name for name in joint if joint[name]] == ["ssr"]
    assert {"peer", "ssr_round1", "peer_round1", "fully_supervised"} < {*joint}


def test_it_needs_no_labels_of_train_but_what_they_are_made_of() -> None:
    own = JOINT | {"features": {"dino_attention_blocks": 2}, "superpixels": {"segments": 50}}
    config = parse(methods={"ssr": {}, "joint": own}, segmenter_methods=["ssr", "joint"])
    for stage in ("features", "superpixels"):
        assert splits_of(config, "joint", stage) == {"train", "tune", "val"}
    assert splits_of(config, "joint", "refined_cam") == {"tune", "val"}
    assert splits_of(config, "joint", "pseudo_label") == {"val"}
