from pathlib import Path

from ssr.report.histories import find_histories, find_looks
from tests.report.finished_run import FinishedRun, small_config


def test_rounds_are_found_in_their_order(finished: FinishedRun) -> None:
    found = find_histories(finished.results, finished.config)
    folder = finished.results
    rounds = [folder / "alignment/ssr/1.csv", folder / "alignment/ssr/2.csv"]
    assert found["alignment"] == {"ssr": rounds}
    assert found["segmenter"] == {"ssr": [folder / "segmenter/ssr/history.csv"]}


def test_what_other_settings_left_is_not_shown(finished: FinishedRun) -> None:
    settings = finished.config.alignment.model_copy(update={"rounds": 1})
    config = finished.config.model_copy(update={"alignment": settings, "segmenter_methods": ()})
    found = find_histories(finished.results, config)
    assert found == {
        "backbones": {},
        "alignment": {"ssr": [finished.results / "alignment/ssr/1.csv"]},
        "segmenter": {},
    }


def test_a_run_without_training_has_no_histories(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ssr", "clip")
    assert find_histories(tmp_path, config) == {"backbones": {}, "alignment": {}, "segmenter": {}}


def test_looks_are_found_where_heads_were_chosen(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ssr", "no_refinement")
    seen = tmp_path / "alignment/ssr/chosen.csv"
    seen.parent.mkdir(parents=True)
    seen.touch()
    assert find_looks(tmp_path, config) == {"ssr": seen}
    last = config.alignment.model_copy(update={"stop": "last"})
    assert find_looks(tmp_path, config.model_copy(update={"alignment": last})) == {}
    off = config.alignment.model_copy(update={"enabled": False})
    assert find_looks(tmp_path, config.model_copy(update={"alignment": off})) == {}


def test_what_is_left_over_of_a_method_that_shares_its_heads_is_not_shown(tmp_path: Path) -> None:
    folder = tmp_path / "alignment/no_refinement"
    folder.mkdir(parents=True)
    for name in ("chosen.csv", "1.csv"):
        (folder / name).touch()
    config = small_config(tmp_path, "ssr", "no_refinement")
    assert find_looks(tmp_path, config) == {}
    assert find_histories(tmp_path, config)["alignment"] == {}


def test_losses_of_trained_stand_ins_are_found(tmp_path: Path) -> None:
    settings = small_config(tmp_path, "ssr", "clip")
    clip = settings.backbones.clip.model_copy(update={"weights": "train"})
    backbones = settings.backbones.model_copy(update={"clip": clip})
    longer = {"longer": {"pretraining": {"clip_steps": 9}}}
    config = settings.model_copy(
        update={"backbones": backbones, "methods": settings.methods | longer}
    )
    for method in config.methods:
        (tmp_path / "pretraining" / method).mkdir(parents=True)
        for name in ("clip", "dino"):
            (tmp_path / "pretraining" / method / f"{name}.csv").touch()
    assert find_histories(tmp_path, config)["backbones"] == {
        "clip": [tmp_path / "pretraining/ssr/clip.csv"],
        "clip of longer": [tmp_path / "pretraining/longer/clip.csv"],
    }
