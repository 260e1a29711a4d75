import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import ssr
from ssr.config import Config
from ssr.config.settings import parse_config, record
from ssr.errors import InputError
from ssr.evaluation.image_scores import beside, write_image_counts
from ssr.evaluation.summary import Evaluated, summary_rows
from ssr.inspect.arrays import stage_array
from ssr.results import Results, open_results
from ssr.running.claims import this_run
from ssr.watching.jobs import Job
from ssr.watching.journal import Journal
from tests.made_up_results import copy_with, make_results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_results(tmp_path_factory.mktemp("run"))


@pytest.fixture
def results(folder: Path) -> Results:
    return ssr.open_results(folder)


def test_arrays_have_names(results: Results) -> None:
    arrays = results["cams/refined/ssr"]["a"]
    assert set(arrays) == {"cams", "classes"}
    assert arrays["cams"].shape == (2, 6, 8)
    np.testing.assert_array_equal(arrays["classes"], [1, 2])


def test_label_maps_are_arrays_too(results: Results) -> None:
    labels = results["pseudo_labels/ssr"]["a"]["labels"]
    assert labels.shape == (48, 64)
    assert labels.dtype == np.uint8


def test_predictions_of_another_system_are_label_maps_of_its_method(
    folder: Path, tmp_path: Path
) -> None:
    copy, settings = copy_with(folder, tmp_path), open_results(folder).config.model_dump()
    peer = {"path": "peer", "format": "predictions"}
    record(parse_config(settings | {"foreign": {"peer": peer}}), copy)
    shutil.copytree(copy / "predictions/ssr", copy / "imported/peer")
    results = open_results(copy)
    assert "imported/peer" in list(results)
    labels = results["imported/peer"]["a"]["labels"]
    np.testing.assert_array_equal(labels, results["predictions/ssr"]["a"]["labels"])
    shown = stage_array(results, results.images["a"], "peer", "prediction")
    np.testing.assert_array_equal(shown, labels)
    with pytest.raises(InputError, match="method peer is the predictions of another system"):
        results["cams/refined/peer"]


def test_words_of_a_name_come_in_any_order(results: Results) -> None:
    assert results["cams/ssr/refined"].folder == results["cams/refined/ssr"].folder
    assert results["ssr/initial/cams"].folder == results["cams/initial/ssr"].folder


def test_what_methods_share_is_found_under_each_name(results: Results) -> None:
    shared = results["cams/aligned/clip_attention"]
    assert shared.folder == results.folder / "cams/aligned/ssr"


def test_a_method_without_alignment_has_no_aligned_cams(results: Results) -> None:
    with pytest.raises(InputError, match=r"^cams/aligned/clip: method clip has no alignment"):
        results["cams/aligned/clip"]


def test_a_stage_that_has_not_run_is_missing(results: Results) -> None:
    assert "cams/refined/ssr" in results
    assert "cams/refined/clip" not in results
    with pytest.raises(InputError, match=r"^cams/refined/clip: not run yet$"):
        results["cams/refined/clip"]


def test_a_name_of_no_stage_is_answered_by_all_names(results: Results) -> None:
    with pytest.raises(
        InputError, match="no stage is named cam: there are features/ssr, features/clip"
    ):
        results["cam"]


def test_an_image_of_which_a_stage_makes_nothing_is_told_from_one_to_come(
    folder: Path, tmp_path: Path
) -> None:
    train = {"split": "train", "shard": "train_0000"}
    copy = copy_with(folder, tmp_path, a=train, b={"shard": "val_0001"})
    predictions = open_results(copy)["predictions/ssr"]
    with pytest.raises(InputError, match=r"^predictions/ssr of image a: not made for split train$"):
        predictions["a"]
    with pytest.raises(InputError, match=r"^predictions/ssr of image b: not run yet$"):
        predictions["b"]


def test_iteration_names_the_stages_that_have_run(results: Results) -> None:
    assert list(results)[:9] == [
        f"{stage}/{method}"
        for stage in ("features", "superpixels", "cams/initial")
        for method in ("ssr", "clip", "clip_attention")
    ]
    assert len(results) == len(list(results))


def test_iteration_over_a_stage_gives_the_ids_of_its_images(results: Results) -> None:
    stage = results["features/ssr"]
    assert list(stage) == ["a", "b", "c", "d"]
    assert len(stage) == 4


@pytest.mark.parametrize("image", ["e", "../a", ""])
def test_an_image_of_no_such_id_is_missing(results: Results, image: str) -> None:
    assert image not in results["features/ssr"]
    with pytest.raises(InputError, match=r"^image .*: the index has none of this id$"):
        results["features/ssr"][image]


def test_an_array_of_no_such_name_is_missing(results: Results) -> None:
    with pytest.raises(InputError, match="no array is named cam: there are cams, classes"):
        results["cams/initial/ssr"]["a"]["cam"]


def test_data_are_found_from_any_folder(
    results: Results, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    inside = open_results(".")
    assert Path(inside.config.data.root) == folder.parent.parent / "data"
    assert inside.index.images == results.index.images
    assert inside.masks.load("a").shape == (48, 64)


def test_a_store_that_was_made_anew_is_read_anew(folder: Path, tmp_path: Path) -> None:
    copy = copy_with(folder, tmp_path)
    results = open_results(copy)
    before = results["cams/initial/ssr"]["a"]["cams"]
    shutil.copy(copy / "cams/refined/ssr/val_0000.zarr.zip", copy / "cams/initial/ssr")
    assert not np.array_equal(results["cams/initial/ssr"]["a"]["cams"], before)


def test_before_the_index_there_are_no_stages(folder: Path, tmp_path: Path) -> None:
    copy = copy_with(folder, tmp_path)
    for table in (copy / "index").iterdir():
        table.unlink()
    results = open_results(copy)
    assert list(results) == []
    with pytest.raises(InputError, match=r"index/index.parquet: not run yet$"):
        results.index  # noqa: B018
    with pytest.raises(InputError, match=r"index/masks.parquet: not run yet$"):
        results.masks  # noqa: B018


def test_all_figures_are_there_once_they_are_summarised(folder: Path, tmp_path: Path) -> None:
    results = open_results(copy_with(folder, tmp_path))
    with pytest.raises(InputError, match=r"summary.json: not run yet$"):
        results.summary  # noqa: B018
    path = results.folder / "evaluation/prediction/ssr/val.json"
    write_image_counts(beside(path), {})
    rows = summary_rows([Evaluated("ssr", 0, path)], "small", "abc")
    (results.folder / "summary.json").write_text(json.dumps(rows))
    assert results.summary == rows
    assert rows[0]["miou_given_labels"] >= rows[0]["miou"]
    (results.folder / "summary.json").write_text("[{")
    with pytest.raises(InputError, match=r"summary.json: .*; run snakemake to make it anew$"):
        results.summary  # noqa: B018


def test_what_failed_says_so_wherever_the_folder_lies(folder: Path, tmp_path: Path) -> None:
    copy = copy_with(folder, tmp_path, c={"shard": "val_0001"})
    moved = copy.rename(copy.with_name("of_another_name"))
    journal = Journal(moved, this_run(), [])
    for number, made in enumerate(("cams/refined/ssr/val_0001.zarr.zip", "index/masks.parquet")):
        log = f"results/small/logs/{number}.log"
        job = Job(number, "any", "", (f"results/small/{made}",), log, 1, 1.0, None)
        journal.started(job)
        journal.failed(job, "", [])
    (moved / "index/masks.parquet").unlink()
    results = open_results(moved)
    with pytest.raises(InputError, match=r"image c: failed, log: results/small/logs/0.log$"):
        results["cams/refined/ssr"]["c"]
    with pytest.raises(InputError, match=r"masks.parquet: failed, log: results/small/logs/1.log$"):
        results.masks  # noqa: B018


def test_results_are_opened_behind_a_link(folder: Path, tmp_path: Path) -> None:
    (folder.parent.parent / "Snakefile").touch()
    (tmp_path / "link").symlink_to(folder)
    assert open_results(tmp_path / "link").folder == folder


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such folder"):
        open_results(tmp_path / "nowhere")


def test_a_folder_without_a_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"logs/config.json: no such file; a run of snakemake"):
        open_results(tmp_path)


def test_a_record_of_other_settings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    record = tmp_path / "logs/config.json"
    record.write_text(Config().model_dump_json().replace('"seeds"', '"sedes"', 1))
    with pytest.raises(InputError, match=r"sedes: unknown key; did you mean seeds\?"):
        open_results(tmp_path)
    record.write_text("[]")
    with pytest.raises(
        InputError, match=r"logs/config.json: .*; a run of snakemake writes it anew"
    ):
        open_results(tmp_path)


def test_the_reader_is_loaded_when_it_is_used() -> None:
    with pytest.raises(AttributeError, match="no attribute 'open_result'"):
        ssr.open_result  # noqa: B018
