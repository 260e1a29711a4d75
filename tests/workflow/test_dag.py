"""The DAG as a user meets it: targets, shared artefacts, and what never reads a mask."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssr.running.provenance import reachable_modules
from tests import ROOT
from tests.workflow.conftest import Run, rules_in

EVALUATION = {
    "choose_heads",
    "choose_threshold",
    "evaluate_cams",
    "evaluate_labels",
    "evaluate_logits",
    "evaluate_predictions",
}
TO_CAMS = {
    "make_demo_dataset",
    "index_dataset",
    "check_backbones",
    "encode_text",
    "extract_features",
    "segment_superpixels",
    "activate_initial_cams",
    "pool_samples",
    "cluster_prototypes",
    "align_prototypes",
    "activate_aligned_cams",
    "refine_cams",
}
OF_MASKS = {"index_masks"}
CHOSEN = {"choose_heads"} | OF_MASKS
TO_LABELS = TO_CAMS | CHOSEN | {"choose_threshold", "label_pixels"}
OF_THE_DEMO = {"make_demo_dataset"}
ALL = (
    TO_LABELS
    | EVALUATION
    | {
        "train_segmenter",
        "predict_logits",
        "refine_predictions",
        "summarise",
        "build_report",
    }
)


@pytest.mark.parametrize(
    ("target", "rules"),
    [
        ("cams", TO_CAMS | CHOSEN),
        ("labels", TO_LABELS),
        ("segmenter", TO_LABELS | {"train_segmenter"}),
        ("ablation", TO_LABELS | {"evaluate_cams", "evaluate_labels"}),
        ("report", ALL),
        ("all", ALL),
        ("pretrain_demo", {"pretrain_demo_backbone"}),
    ],
)
def test_targets_stop_where_their_name_says(clone: Run, target: str, rules: set[str]) -> None:
    assert rules_in(clone("-n", target)) - {target} == rules


def test_features_are_extracted_once_for_all_methods(clone: Run) -> None:
    printed = clone("-n", "ablation").stdout
    assert printed.count("rule extract_features:") == 4  # 2 train, 1 tune, 1 val shards


HEADS_AND_CAMS = {
    "activate_initial_cams",
    "pool_samples",
    "cluster_prototypes",
    "align_prototypes",
    "choose_heads",
    "activate_aligned_cams",
}
# What every row has for itself: refined CAMs and what follows.
LAST = {"refine_cams", "choose_threshold", "evaluate_cams", "label_pixels", "evaluate_labels"}
ROWS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "fine": ({"superpixels": {"segments": 50}}, {"segment_superpixels"}),
    "grad_cam": ({"cams": {"score": "gradient"}}, HEADS_AND_CAMS),
    "words": ({"text": {"backgrounds": ["sky"]}}, HEADS_AND_CAMS | {"encode_text"}),
    "clip2": (
        {"backbones": {"clip": {"weights": "random"}}},
        HEADS_AND_CAMS | {"check_backbones", "encode_text", "extract_features"},
    ),
    "dino2": (
        {"backbones": {"dino": {"weights": "random"}}},
        {"check_backbones", "extract_features"},
    ),
    "small": (
        {"images": {"max_side": 64}},
        HEADS_AND_CAMS | {"extract_features", "segment_superpixels"},
    ),
    "power": ({"refinement": {"power": 2}}, set()),
}


def test_a_row_costs_only_what_it_changes(clone: Run) -> None:
    methods = {name: overrides for name, (overrides, _) in ROWS.items()}
    printed = clone("-n", "--config", f"methods={json.dumps(methods)}").stdout
    jobs = re.findall(r"^rule (\w+):\n    input: (.*)\n    output: (.*)$", printed, re.MULTILINE)
    for row, (_, first) in ROWS.items():
        own = {rule for rule, _, outputs in jobs if re.search(rf"/{row}[/.]", outputs)}
        assert own == first | LAST, row
    read = {inputs for rule, inputs, outputs in jobs if "cams/refined/fine/val_0000" in outputs}
    assert read == {
        "results/demo/features/ssr/val_0000.zarr.zip, "
        "results/demo/superpixels/fine/val_0000.zarr.zip, "
        "results/demo/cams/aligned/ssr/val_0000.zarr.zip"
    }


# Jobs of a further seed: of ssr and of box_mask, whose heads are the same; clip learns nothing.
OF_A_SEED = {
    "cluster_prototypes": 3,
    "align_prototypes": 3,
    "choose_heads": 1,
    "activate_aligned_cams": 4,  # 2 train, 1 tune, 1 val shards
    "refine_cams": 4 + 2,
    "choose_threshold": 2 + 1,
    "evaluate_cams": 2 + 1,
    "label_pixels": 3 + 1,
    "evaluate_labels": 2,
    "train_segmenter": 1,
    "predict_logits": 1,
    "evaluate_logits": 1,
    "refine_predictions": 1,
    "evaluate_predictions": 1,
}


def test_a_further_seed_costs_what_learns_and_what_follows(clone: Run) -> None:
    unused = {name: None for name in ("no_refinement", "clip_attention", "clip_dino_attention")}
    jobs = [
        Counter(re.findall(r"^rule (\w+):", clone("-n", *given).stdout, re.MULTILINE))
        for seeds in ([0], [0, 1])
        for given in [("--config", f"methods={json.dumps(unused)}", f"seeds={seeds}")]
    ]
    assert jobs[1] - jobs[0] == OF_A_SEED
    assert not jobs[0] - jobs[1]


def test_each_seed_learns_by_itself_and_reads_what_the_first_has_made(clone: Run) -> None:
    printed = clone("-n", "-p", "segmenter", "--config", "seeds=[4, 1]").stdout
    for output, inputs in (
        ("prototypes/ssr_seed1/1.npz", ("samples/ssr/train_0001.npz", "text/ssr/")),
        ("alignment/ssr_seed1/1.safetensors", ("prototypes/ssr_seed1/1.npz",)),
        ("cams/refined/ssr_seed1/train_0000.zarr.zip", ("superpixels/ssr/", "aligned/ssr_seed1/")),
        ("segmenter/ssr_seed1/model.safetensors", ("pseudo_labels/ssr_seed1/",)),
    ):
        job = re.search(rf"\n    input: (.*)\n    output: results/demo/{output}", printed)
        assert job
        assert all(f"results/demo/{path}" in job[1].replace("cams/a", "a") for path in inputs)
    seeds = r"-m workflow_scripts\.(\w+) (?:.|\\\n)*?--seed (\d)"
    found = {*re.findall(seeds, printed)}
    learning = {"cluster_prototypes", "align_prototypes", "train_segmenter"}
    assert found == {(name, seed) for name in learning for seed in "41"} | {
        ("segment_superpixels", "4")
    }


# Jobs of a round of feedback; the segmenter before it predicts train and tune, too.
OF_A_ROUND = {
    "predict_logits": 3 + 1,
    "feed_back_logits": 4,
    "refine_cams": 4,
    "choose_threshold": 2,
    "evaluate_cams": 2,
    "label_pixels": 3,
    "evaluate_labels": 1,
    "train_segmenter": 1,
    "evaluate_logits": 1,
    "refine_predictions": 1,
    "evaluate_predictions": 1,
}


def test_a_round_of_feedback_learns_from_what_the_segmenter_before_it_says(clone: Run) -> None:
    printed = [clone("-n", *given).stdout for given in ((), ("--config", "feedback=2"))]
    jobs = [Counter(re.findall(r"^rule (\w+):", each, re.MULTILINE)) for each in printed]
    assert jobs[1] - jobs[0] == {rule: 2 * count for rule, count in OF_A_ROUND.items()}
    assert not jobs[0] - jobs[1]
    fed = r"/(logits/\S+)\n    output: .*/(cams/initial/\S+train_0001\S+)"
    assert dict(re.findall(fed, printed[1])) == {
        f"logits/{before}/train_0001.zarr.zip": f"cams/initial/{row}/train_0001.zarr.zip"
        for before, row in (("ssr", "ssr_round1"), ("ssr_round1", "ssr_round2"))
    }


def test_joint_training_takes_the_samples_of_cmpa_and_makes_its_labels_itself(clone: Run) -> None:
    more = ("methods={'joint': {'segmenter': {'joint': true}}}", "segmenter_methods=[ssr, joint]")
    printed = [clone("-n", *given).stdout for given in ((), ("--config", *more))]
    jobs = [Counter(re.findall(r"^rule (\w+):", each, re.MULTILINE)) for each in printed]
    assert jobs[1] - jobs[0] == {
        "train_jointly": 1,
        "predict_logits": 1,
        "evaluate_logits": 1,
        "refine_predictions": 1,
        "evaluate_predictions": 1,
    }
    (inputs,) = re.findall(r"^rule train_jointly:\n    input: (.*)$", printed[1], re.MULTILINE)
    for path in ("prototypes/ssr/1.npz", "refined_cam/ssr/tune.json", "superpixels/ssr/train_0001"):
        assert path in inputs
    assert "pseudo_labels" not in inputs


def test_a_segmenter_is_of_the_clip_and_the_texts_of_its_method(clone: Run) -> None:
    methods = {"row": {"backbones": {"clip": {"weights": "random"}}}}
    given = (f"methods={json.dumps(methods)}", "segmenter_methods=['row']")
    target = "results/demo/segmenter/row/model.safetensors"
    printed = clone("-n", "-p", target, "--config", *given).stdout
    _, _, training = printed.partition("rule train_segmenter:")
    assert "results/demo/text/row/embeddings.npz" in training
    assert '--backbone \'{"model": "backbones/demo_clip.json", "sha256": null, ' in training
    assert '"weights": "random"}\'' in training


@pytest.mark.parametrize("fully", [False, True])
def test_only_evaluation_and_report_can_reach_a_mask_and_full_supervision(
    clone: Run, fully: bool
) -> None:
    joint = ("methods={'joint': {'segmenter': {'joint': true}}}", "segmenter_methods=[ssr, joint]")
    given = (f"ablations={['table_6'] if fully else []}", "feedback=1", *joint)
    printed = clone("-n", "--config", *given).stdout
    job = r"^(?:local)?rule (\w+):\n    input: (.*)\n    output: (.*)$"
    readers: dict[str, set[str]] = {}
    for rule, inputs, output in re.findall(job, printed, re.MULTILINE):
        if "masks.parquet" in inputs:
            readers.setdefault(rule, set()).add(output)
    taught = readers.pop("train_fully_supervised", set())
    assert {*readers} == EVALUATION | {"build_report"}
    model = "results/demo/segmenter/fully_supervised/model"
    assert taught == ({f"{model}.safetensors, {model}.json"} if fully else set())


@pytest.mark.parametrize(
    ("read", "told_by"), [("table(INDEX)", "images_of("), ("table(MASKS)", "masks_of(")]
)
def test_whoever_reads_an_index_whose_date_does_not_count_knows_its_part(
    read: str, told_by: str
) -> None:
    """Or another image would be passed over."""
    texts = [path.read_text() for path in (ROOT / "rules").glob("*.smk")]
    rules = [rule for text in texts for rule in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]]
    reading = [rule for rule in rules if read in rule]
    assert len(reading) > 5
    assert [rule.partition(":")[0] for rule in reading if told_by not in rule] == []


def test_full_supervision_costs_its_segmenter_and_what_judges_it(clone: Run) -> None:
    jobs = [
        Counter(re.findall(r"^rule (\w+):", clone("-n", *given).stdout, re.MULTILINE))
        for given in ((), ("--config", "ablations=['table_6']"))
    ]
    assert jobs[1] - jobs[0] == {
        "train_fully_supervised": 1,
        "predict_logits": 1,
        "evaluate_logits": 1,
        "refine_predictions": 1,
        "evaluate_predictions": 1,
    }
    assert not jobs[0] - jobs[1]


@pytest.mark.parametrize(
    ("setting", "patches", "cams"),
    [
        ("alignment={'loss': 'feature'}", False, False),
        ("alignment={'loss': 'image_labels'}", True, False),
        ("prototypes={'pooling': 'after'}", True, True),
        ("alignment={'trains': 'last_block'}", True, True),
    ],
)
def test_the_alignment_reads_features_and_cams_only_where_it_learns_from_patches(
    clone: Run, setting: str, patches: bool, cams: bool
) -> None:
    printed = clone("-n", "cams", "--config", setting).stdout
    inputs = re.findall(r"^rule align_prototypes:\n    input: (.*)$", printed, re.MULTILINE)
    assert len(inputs) == 3  # rounds
    for needed in ("features/ssr/train_0001.zarr.zip", "index.parquet", "demo_clip.safetensors"):
        assert all(needed in each for each in inputs) == patches
    clustered = re.findall(r"^rule cluster_prototypes:\n    input: (.*)$", printed, re.MULTILINE)
    assert len(clustered) == 3
    for each in [*inputs, *clustered]:
        assert ("cams/initial/ssr/train_0001.zarr.zip" in each) == cams


def test_heads_are_chosen_by_masks_behind_all_that_trains_them(clone: Run) -> None:
    gradient = {"gradient": {"aligned_cams": {"score": "gradient"}}}
    printed = clone("-n", "--config", f"methods={gradient}").stdout
    jobs = re.findall(r"^rule (\w+):\n    input: (.*)$", printed, re.MULTILINE)
    readers = {rule for rule, inputs in jobs if "masks.parquet" in inputs}
    assert readers == EVALUATION | {"build_report"}
    users = {rule for rule, inputs in jobs if "chosen.safetensors" in inputs}
    assert users == {"activate_aligned_cams", "build_report"}
    rounds = [inputs for rule, inputs in jobs if rule == "choose_heads"]
    assert len(rounds) == 2  # CAMs of the two methods with an alignment of their own
    shared = [f"alignment/ssr/{number}.safetensors" for number in (1, 2, 3)]
    assert all(path in inputs for inputs in rounds for path in shared)


@pytest.mark.parametrize(
    ("evaluation", "of_tune"),
    [
        ({}, ["evaluate_cams"]),
        ({"protocol": "published"}, []),
        ({"protocol": "published", "cam_split": "tune"}, []),
    ],
    ids=json.dumps,
)
def test_cams_are_reported_at_the_threshold_of_tune_unless_the_protocol_says_so(
    clone: Run, evaluation: dict[str, str], of_tune: list[str]
) -> None:
    printed = clone("-n", "--config", f"evaluation={json.dumps(evaluation)}").stdout
    jobs = re.findall(
        r"rule (evaluate_cams|choose_threshold):\n    input: (.*)\n    output: (.*)", printed
    )
    assert {rule for rule, read, _ in jobs if "tune.json" in read} == set(of_tune)
    reported = evaluation.get("cam_split", "val")
    assert all(
        f"{reported}.images.parquet" in made
        for rule, _, made in jobs
        if rule == "evaluate_cams" or reported == "tune"
    )


def test_one_method_may_have_its_heads_chosen(clone: Run) -> None:
    best = {"best": {"alignment": {"stop": "tune"}}}
    last = "alignment={'stop': 'last'}"
    printed = clone("-n", "ablation", "--config", last, f"methods={best}").stdout
    assert re.findall(r"output: (\S+chosen\.safetensors)", printed) == [
        "results/demo/alignment/best/chosen.safetensors"
    ]
    cams = r"alignment/(\w+/\w+)\.safetensors\n    output: results/demo/cams/aligned/(\w+)/"
    assert set(re.findall(cams, printed)) == {("best/chosen", "best"), ("ssr/3", "ssr")}
    trained = r"output: results/demo/alignment/(\w+/\d)\.safetensors"
    assert set(re.findall(trained, printed)) == {"ssr/1", "ssr/2", "ssr/3"}


def test_stand_ins_are_trained_where_asked_for_and_without_masks(clone: Run) -> None:
    trained = {name: {"weights": "train"} for name in ("clip", "dino")}
    printed = clone("-n", "labels", "--config", f"backbones={trained}")
    assert rules_in(printed) - {"labels"} == TO_LABELS | {"pretrain_clip", "pretrain_dino"}
    jobs = re.findall(r"^rule (pretrain_\w+):\n    input: (.*)$", printed.stdout, re.MULTILINE)
    index = "results/demo/index/index.parquet"
    assert dict(jobs) == {f"pretrain_{n}": f"{index}, backbones/demo_{n}.json" for n in trained}


def test_wrong_setting_is_one_clear_error(clone: Run) -> None:
    done = clone("-n", "--config", "alignment={'los': 'feature'}", check=False)
    assert done.returncode != 0
    assert "alignment.los: unknown key; did you mean loss?" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.fixture
def my_folder(clone: Run, tmp_path: Path) -> Callable[..., set[str]]:
    """The rules that config/my_folder.yaml would run on twelve images, the first six with masks."""
    folder = tmp_path / "data/my_folder"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    names = [f"{number:02}.png" for number in range(12)]
    for name in names[:6]:
        (folder / "masks" / name).touch()
    rows = [f"{name},boat" for name in names]
    (folder / "labels.csv").write_text("\n".join(["image,labels", *rows]))

    def rules(target: str, overlay: str = "{}") -> set[str]:
        (tmp_path / "more.yaml").write_text(overlay)
        overlays = ("config/my_folder.yaml", "more.yaml")
        return rules_in(clone("-n", target, "--configfile", *overlays)) - {target}

    return rules


def test_without_masks_all_runs_but_the_evaluation(my_folder: Callable[..., set[str]]) -> None:
    assert my_folder("all") == ALL - EVALUATION - OF_THE_DEMO
    assert my_folder("ablation") == TO_LABELS - EVALUATION - OF_THE_DEMO - OF_MASKS


def test_with_masks_the_own_folder_is_evaluated(my_folder: Callable[..., set[str]]) -> None:
    overlay = "{data: {masks: masks}, labels: {threshold: null}, prototypes: {clusters: 2}}"
    assert my_folder("all", overlay) == ALL - OF_THE_DEMO


def test_a_missing_folder_of_masks_means_no_masks_and_is_said(
    my_folder: Callable[..., set[str]], clone: Run, tmp_path: Path
) -> None:
    (tmp_path / "data/my_folder/masks").rename(tmp_path / "data/my_folder/elsewhere")
    assert my_folder("all", "{data: {masks: masks}}") == ALL - EVALUATION - OF_THE_DEMO
    said = clone("-n", "--configfile", "config/my_folder.yaml", "more.yaml").stderr
    assert said.count("warning: data/my_folder has no folder masks: nothing is tuned") == 1


def test_a_folder_without_masks_needs_a_threshold(clone: Run, tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("{data: {masks: null}}")
    done = clone("-n", "--configfile", "more.yaml", check=False)
    assert done.returncode != 0
    assert "  labels.threshold must be a number where data.masks is null" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "program",
    [
        "pool_samples",
        "cluster_prototypes",
        "align_prototypes",
        "activate_cams",
        "refine_cams",
        "label_pixels",
        "train_segmenter",
        "train_jointly",
        "predict_logits",
        "feed_back_logits",
        "pretrain_clip",
        "pretrain_dino",
    ],
)
def test_no_program_that_learns_has_code_that_reads_masks(program: str) -> None:
    assert "ssr.data.masks" not in reachable_modules(f"workflow_scripts.{program}")
    for reader in ("evaluate_cams", "train_fully_supervised"):
        assert "ssr.data.masks" in reachable_modules(f"workflow_scripts.{reader}")


def test_tags_are_fetched_before_they_are_used(clone: Run) -> None:
    tagged = {
        "clip": {"model": "ViT-B-16", "weights": "openai"},
        "dino": {"model": "vit_small_patch14_dinov2", "weights": "lvd142m"},
    }
    printed = clone("-n", "cams", "--config", f"backbones={tagged}", "images={'patch': 16}")
    assert "fetch_weights" in rules_in(printed)
    fetched = r"^rule (\w+):\n    input: .*weights/ssr/(?:clip|dino)\.json"
    users = set(re.findall(fetched, printed.stdout, re.MULTILINE))
    assert {"encode_text", "extract_features", "activate_initial_cams"} <= users


def test_backbones_that_cannot_be_used_are_refused_before_anything_runs(clone: Run) -> None:
    wrong = {
        "clip": {"model": "RN50", "weights": "openai"},
        "dino": {"model": "swin_tiny_patch4_window7_224", "weights": "random"},
    }
    refused = clone("-n", "--config", f"backbones={wrong}", check=False)
    assert refused.returncode
    printed = refused.stdout + refused.stderr
    assert "backbones.clip: CLIP model RN50 can't be used: a ResNet" in printed
    assert "backbones.dino: DINO model swin_tiny_patch4_window7_224 can't be used" in printed
