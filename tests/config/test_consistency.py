"""Settings that contradict each other, and settings that are hardly meant."""

import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from open_clip.tokenizer import SimpleTokenizer

from ssr.config import Backbones, Config
from ssr.config.consistency import DEMO_WORDS, contradictions, doubts
from ssr.config.methods import merge
from ssr.config.settings import parse_config
from ssr.errors import InputError
from tests import ROOT

REAL = {
    "backbones": {
        "clip": {"model": "ViT-B-16", "weights": "openai"},
        "dino": {"model": "vit_small_patch16_224", "weights": "dino"},
    },
    "images": {"patch": 16},
}


def against(values: dict[str, Any]) -> list[str]:
    return list(contradictions(Config.model_validate(values)))


def doubted(values: dict[str, Any]) -> list[str]:
    """What is doubted with backbones that know all words."""
    return doubts(Config.model_validate(merge(REAL, values)))


def test_the_defaults_agree_and_are_not_doubted() -> None:
    assert against({}) == doubts(Config()) == []


@pytest.mark.parametrize("section", ["cams", "aligned_cams"])
def test_a_gradient_is_doubted_where_none_is_taken(section: str) -> None:
    cosine = {"gradient": "cosine"}
    (said,) = doubts(Config.model_validate({section: cosine}))
    assert said.startswith(f"{section}.gradient changes nothing where {section}.score is simil")
    assert doubts(Config.model_validate({section: cosine | {"score": "gradient"}})) == []


def test_a_gradient_is_judged_by_the_score_of_its_method() -> None:
    cosine, grad_cam = {"gradient": "cosine"}, {"score": "gradient"}
    methods = {"ssr": {}, "grad_cam": {"aligned_cams": grad_cam}}
    assert doubts(Config.model_validate({"aligned_cams": cosine, "methods": methods})) == []
    for section in ("cams", "aligned_cams"):
        methods = {"ssr": {}, "idle": {section: cosine}}
        (said,) = doubts(Config.model_validate({"methods": methods}))
        key = f"methods.idle.{section}"
        assert said.startswith(f"{key}.gradient changes nothing where {key}.score is simil")


def test_a_doubt_comes_once_or_names_the_method_that_it_is_of() -> None:
    general: dict[str, Any] = {"text": {"backgrounds": []}}
    methods: dict[str, Any] = {"ssr": {}, "same": general, "box": {"refinement": {"mask": "box"}}}
    said, equal = doubted(general | {"methods": methods})
    assert said.startswith("text.backgrounds is empty")
    assert equal.startswith("methods.same is the same as ssr")
    (said,) = doubted({"text": {"backgrounds": ["sky"]}, "methods": methods})
    assert said.startswith("methods.same.text.backgrounds is empty")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"alignment": {"loss": "image_labels"}}, "a loss of samples; came alignment.loss image"),
        ({"prototypes": {"sample": "both"}}, "prototypes.sample pooled; came both"),
    ],
)
def test_what_is_pooled_after_isa_are_samples_under_cams(other: dict[str, Any], said: str) -> None:
    after: dict[str, Any] = {"prototypes": {"pooling": "after"}}
    assert against(after) == against(other) == []
    (line,) = against(merge(after, other))
    assert line.startswith("prototypes.pooling: after needs ")
    assert said in line
    assert against(merge(merge(after, other), {"alignment": {"enabled": False}})) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"prototypes": {"sample": "image"}}, "trains: last_block needs prototypes.sample pooled"),
        ({"aligned_cams": {"background": "clip"}}, "clip needs alignment.trains heads; came last_"),
    ],
)
def test_the_last_block_is_trained_on_pooled_patches_and_judges_alone(
    other: dict[str, Any], said: str
) -> None:
    block: dict[str, Any] = {"alignment": {"trains": "last_block"}}
    assert against(block) == against(other) == []
    (line,) = against(merge(block, other))
    assert said in line
    assert against(merge(merge(block, other), {"alignment": {"enabled": False}})) == []


def test_the_last_block_may_learn_from_image_labels() -> None:
    block = {"trains": "last_block", "loss": "image_labels"}
    assert against({"alignment": block, "prototypes": {"sample": "both"}}) == []


@pytest.mark.parametrize("setting", [{"layers": 0}, {"width": 64}, {"residual": False}])
def test_the_shape_of_heads_is_doubted_where_none_are_trained(setting: dict[str, Any]) -> None:
    block = {"trains": "last_block"}
    (said,) = doubts(Config.model_validate({"alignment": block | setting}))
    (name,) = setting
    assert said.startswith(f"alignment.{name} changes nothing where alignment.trains is last_block")
    assert doubts(Config.model_validate({"alignment": setting})) == []
    methods = {"ssr": {}, "block": {"alignment": block}}
    assert doubts(Config.model_validate({"alignment": setting, "methods": methods})) == []
    (said,) = doubts(Config.model_validate({"methods": {"block": {"alignment": block | setting}}}))
    assert said.startswith(f"methods.block.alignment.{name} changes nothing")


def test_prompts_must_belong_to_classes() -> None:
    (said,) = against({"text": {"prompts": {"dragon": "sofa"}}})
    assert said == "text.prompts names ['dragon'], not among data.classes"


def test_segmenters_are_those_of_methods() -> None:
    (said,) = against({"segmenter_methods": ["mine"]})
    assert said.startswith("segmenter_methods names ['mine'], allowed: ['ssr', ")


def test_without_masks_a_threshold_must_be_given() -> None:
    assert "labels.threshold must be a number" in against({"data": {"masks": None}})[0]
    assert against({"data": {"masks": None}, "labels": {"threshold": 0.4}}) == []


def test_a_model_file_with_a_key_twice_is_named(tmp_path: Path) -> None:
    model = tmp_path / "clip.json"
    text = (ROOT / Backbones().clip.model).read_text()
    model.write_text(text.replace("{", '{"embed_dim": 64,', 1))
    (said,) = against(
        {"backbones": {"clip": {"model": str(model), "weights": Backbones().clip.weights}}}
    )
    assert re.fullmatch(rf"{model}: embed_dim stands in lines 1 and 2; .*", said)


@pytest.mark.parametrize(
    ("values", "unknown"),
    [
        ({"data": {"classes": ["cow", "Zebra crossing"]}}, "data.classes, text.prompts: .*zebra, "),
        ({"text": {"prompts": {"cow": "cow, moo"}}}, "data.classes, text.prompts: .* moo; "),
        ({"text": {"backgrounds": ["sky", "sea"]}}, "text.backgrounds: .* sea; "),
        ({"text": {"backgrounds": []}}, "text.backgrounds: .* ground, land, "),
        ({"text": {"templates": ["a drawing of a {}"]}}, "text.templates: .* drawing; "),
    ],
)
def test_words_that_the_demo_never_saw_come_with_the_file_to_add(
    values: dict[str, Any], unknown: str
) -> None:
    (said,) = against(values)
    assert re.match(unknown, said)
    assert "--configfile config/photographs.yaml YOURS.yaml" in said
    assert against(merge(REAL | {"segmenter": {"crop_size": 64}}, values)) == []


def test_the_file_to_add_is_that_of_the_format() -> None:
    (said,) = against({"data": {"format": "voc", "classes": ["cat"]}})
    assert "config/voc.yaml" in said


def test_the_words_of_the_demo_are_those_of_its_weights() -> None:
    from ssr.backbones.networks import load_clip

    tokenizer = SimpleTokenizer()
    known = load_clip(Backbones().clip, "cpu").token_embedding.weight.any(dim=1)
    assert all(known[tokenizer.encode(word)].all() for word in DEMO_WORDS)
    pieces = {token for word in DEMO_WORDS for token in tokenizer.encode(word)}
    others = set(known.nonzero().flatten().tolist()) - pieces
    spelt = {tokenizer.decode([token]).strip() for token in others}
    assert not [word for word in spelt if re.fullmatch(r"\w+", word)]
    assert f"know {len(DEMO_WORDS)} words" in (ROOT / "docs/own_data.md").read_text()


def test_the_backbones_of_the_demo_are_doubted_elsewhere() -> None:
    sky = {"text": {"backgrounds": ["sky"]}}
    (said,) = doubts(Config.model_validate({"data": {"format": "folder"}} | sky))
    assert said.startswith("backbones.clip and dino: the demo's have seen nothing but its drawn")
    assert doubted({"data": {"format": "folder"}} | sky) == []


def test_the_backgrounds_of_the_demo_are_doubted_elsewhere() -> None:
    (said,) = doubted({"data": {"format": "folder"}})
    assert said.startswith("text.backgrounds is the list of the demo's world")


def test_backgrounds_that_stand_in_are_named() -> None:
    (said,) = doubted({"text": {"backgrounds": []}})
    assert "so these stand in: ground, land, grass" in said


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        (["cow", "Grass"], {"backgrounds": ["sky", "grass"]}),
        (["cow", "lawn"], {"backgrounds": ["sky", "grass"], "prompts": {"lawn": "grass"}}),
        (["cow", "grass"], {"backgrounds": ["sky", "grass"], "prompts": {"grass": "lawn"}}),
    ],
)
def test_a_class_that_is_a_background_is_doubted(classes: list[str], text: dict[str, Any]) -> None:
    (said,) = doubted({"data": {"classes": classes}, "text": text})
    assert said.startswith(f"text.backgrounds: grass is the class {classes[1]}, too")


def test_a_class_among_the_backgrounds_that_stand_in_is_doubted() -> None:
    _, said = doubted({"data": {"classes": ["bridge"]}, "text": {"backgrounds": []}})
    assert said.startswith("text.backgrounds: bridge is the class bridge, too")


def test_classes_with_one_prompt_are_doubted() -> None:
    prompts = {"ripe": "apple", "unripe": "Apple"}
    (said,) = doubted({"data": {"classes": ["ripe", "unripe"]}, "text": {"prompts": prompts}})
    assert (
        said == "text.prompts: ripe and unripe have one prompt, apple; CLIP can't tell them apart"
    )


@pytest.mark.parametrize(
    ("files", "begin"),
    [
        (["voc.yaml"], []),
        (["coco.yaml"], []),
        (["voc.yaml", "voc_mini.yaml"], []),
        (["voc.yaml", "voc_subset.yaml"], []),
        (["my_folder.yaml"], ["backbones.clip and dino"]),
        (["photographs.yaml", "my_folder.yaml"], []),
        (["photographs.yaml"], ["text.backgrounds is empty"]),
    ],
)
def test_what_is_shipped_is_doubted_only_where_it_is_true(
    files: list[str], begin: list[str]
) -> None:
    paths = [ROOT / "config.yaml", *(ROOT / "config" / name for name in files)]
    layers = [yaml.safe_load(path.read_text()) for path in paths]
    said = doubts(parse_config(reduce(merge, layers)))
    assert [line[: len(start)] for line, start in zip(said, begin, strict=True)] == begin


def test_a_method_that_changes_nothing_is_doubted() -> None:
    power = {"refinement": {"power": Config().refinement.power}}
    (said,) = doubts(Config.model_validate({"methods": {"ssr": {}, "idle": power}}))
    assert said == "methods.idle is the same as ssr: none of their settings differs"


TAUGHT: dict[str, Any] = {"labels": {"source": "masks"}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (TAUGHT, "labels.source: masks, for the method fully_supervised and for no other"),
        ({"methods": {"ssr": {}, "mine": TAUGHT}}, "methods.mine.labels.source: masks, for the m"),
        ({"methods": {"ssr": {}, "fully_supervised": {}}}, "for no other; came cams"),
        (
            {"methods": {"fully_supervised": TAUGHT, "mine": {}}, "segmenter_methods": ["mine"]},
            "methods: fully_supervised stands behind the method that is held against it",
        ),
        (
            {"data": {"masks": None}, "labels": {"threshold": 0.5}, "ablations": ["table_6"]},
            "methods.fully_supervised.labels.source: masks needs those of train, and data.masks is",
        ),
    ],
)
def test_only_the_method_of_that_name_may_learn_from_masks(
    wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        parse_config(wrong)
    assert said in str(refused.value)


def test_settings_of_cams_are_doubted_where_masks_are_learned_from() -> None:
    own = {"superpixels": {"segments": 50}, "segmenter": {"layers": 2}, **TAUGHT}
    (said,) = doubted({"methods": {"ssr": {}, "fully_supervised": own}})
    assert said.startswith("methods.fully_supervised.superpixels changes nothing")
