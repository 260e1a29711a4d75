"""What the server answers, and whom it refuses."""

import copy
import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from ssr.artefacts.store import ShardWriter, open_shards
from ssr.config.methods import merge
from ssr.config.settings import parse_config
from ssr.data.index import Index
from ssr.data.masks import Masks
from ssr.evaluation.image_scores import write_image_counts
from ssr.inspect.overview import describe
from ssr.inspect.prototypes import clusters
from ssr.inspect.server import application, distinct_names
from ssr.results import Results, open_results
from ssr.running.claims import claim, this_run
from ssr.watching.jobs import Job
from ssr.watching.journal import Journal
from ssr.watching.states import states
from tests.inspect.conftest import TOKEN
from tests.made_up_results import copy_with

BASE = f"http://127.0.0.1:80/{TOKEN}/"


@pytest.fixture(scope="module")
def client(results: Results) -> TestClient:
    return TestClient(application([results], TOKEN), base_url=BASE)


def values(answer: Response) -> np.ndarray:
    shape = tuple(map(int, answer.headers["x-shape"].split(",")))
    return np.frombuffer(answer.content, answer.headers["x-type"]).reshape(shape)


def missing(client: TestClient, path: str) -> str:
    """Why something is not there, which is no failure."""
    answer = client.get(path)
    assert answer.headers["x-missing"]
    return answer.text


@pytest.mark.parametrize(
    "path", ["/", "/describe.json", "/wrong/", f"/{TOKEN}x/", "/wrong/static/main.js", "//"]
)
def test_a_wrong_or_missing_token_is_refused(client: TestClient, path: str) -> None:
    assert client.get(f"http://127.0.0.1{path}").status_code == 403


def test_what_a_method_made_with_further_seeds_stands_behind_it(results: Results) -> None:
    seeded = copy.copy(results)
    seeded.config = parse_config(results.config.model_dump() | {"seeds": [0, 1]})
    assert describe(seeded)["methods"] == [
        *("ssr", "ssr_seed1", "clip", "clip_seed1", "clip_attention", "clip_attention_seed1")
    ]


def test_full_supervision_is_marked_and_has_no_cams(results: Results) -> None:
    taught = copy.copy(results)
    taught.config = parse_config(results.config.model_dump() | {"ablations": ["table_6"]})
    told = describe(taught)
    assert told["titles"]["fully_supervised"] == "fully_supervised (learned from masks)"
    assert told["titles"]["ssr"] == "ssr"
    reasons = {told["absent"]["fully_supervised"][stage] for stage in ("initial_cam", "target")}
    assert reasons == {"method fully_supervised learns from masks"}


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8000", 200), ("localhost:80", 200), ("evil.org:80", 403), ("127.0.0.1.x:80", 403)],
)
def test_only_this_machines_own_names_are_served(
    client: TestClient, host: str, status: int
) -> None:
    assert client.get("describe.json", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        *("image/z", "image/..%2Fa", "image/..%2F..%2Findex%2Findex.parquet", "image/../a"),
        *("array/refined_cam/z", "array/..%2Fcams/a", "affinity/..%2Fa", "scores/..%2Fx"),
        *("static/..%2Fserver.py", "static/%2Fetc%2Fpasswd", "affinity/a?patch=-1"),
        *("array/refined_cam/a?method=..%2Fx", "image/a?side=x", "2/"),
    ],
)
def test_what_there_cannot_be_is_404(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("array/nothing/a", "no stage has this name"),
        ("scores/nothing", "no stage has this name"),
        ("affinity/a?patch=48", "the image has 48, from 0"),
        ("array/target/d", "the image has no class"),
    ],
)
def test_what_is_not_there_is_told(client: TestClient, path: str, why: str) -> None:
    assert missing(client, path) == why


@pytest.fixture(scope="module")
def other(results: Results, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Image a is one of train, b of tune, d has no label, and c lies in a shard to come."""
    copy = copy_with(
        results.folder,
        tmp_path_factory.mktemp("other"),
        a={"split": "train", "shard": "train_0000"},
        b={"split": "tune", "shard": "tune_0000"},
        c={"shard": "val_0001"},
        d={"labels": (), "shard": "val_0001"},
    )
    app = application([open_results(copy)], TOKEN)
    return TestClient(app, base_url=BASE)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("array/prediction_crf/a?method=ssr", "not made for split train"),
        ("array/prediction/b?method=ssr", "not made for split tune"),
        ("array/pseudo_label/a?method=clip_attention", "not made for split train"),
        ("array/refined_cam/d?method=ssr", "the image has no label to learn from"),
        ("array/refined_cam/c?method=ssr", "not run yet"),
        ("array/refined_cam/c?method=clip", "not run yet"),
        ("array/target/c?method=ssr", "not run yet"),
        ("array/target/c?method=clip_attention", "method clip_attention refines without a target"),
        ("array/aligned_cam/c?method=clip", "method clip has no alignment"),
        ("array/prediction/c?method=clip", "method clip trains no segmenter"),
        ("affinity/c", "not run yet"),
        ("affinity/c?patch=48", "not run yet"),
        ("scores/prediction?method=ssr", "not run yet"),
        ("scores/prediction?method=clip", "method clip trains no segmenter"),
        ("scores/aligned_cam?method=clip", "method clip has no alignment"),
        ("prototypes?method=clip", "method clip has no alignment"),
        ("prototypes?method=ssr&round=2", "not run yet"),
        ("prototypes?method=ssr&round=9", "method ssr has 3 rounds"),
    ],
)
def test_what_will_never_be_is_told_from_what_is_to_come(
    other: TestClient, path: str, why: str
) -> None:
    assert missing(other, path).startswith(why)


@pytest.fixture
def watched(results: Results, tmp_path: Path) -> tuple[Path, Journal, TestClient]:
    """Results on which a run begins; image c lies in a shard to come."""
    copy = copy_with(results.folder, tmp_path, c={"shard": "val_0001"})
    run = this_run()
    claim(copy, run)
    client = TestClient(application([open_results(copy)], TOKEN), base_url=BASE)
    return copy, Journal(copy, run, []), client


def job(*outputs: str, log: str = "results/small/logs/x.log") -> Job:
    return Job(1, "any", "", tuple(f"results/small/{path}" for path in outputs), log, 1, 1.0, None)


@pytest.mark.parametrize(
    ("path", "outputs"),
    [
        ("array/initial_cam/c", ["cams/initial/ssr/val_0001.zarr.zip"]),
        ("array/target/c?method=clip", ["cams/initial/ssr/val_0001.zarr.zip"]),
        ("array/refined_cam/c?method=clip", ["cams/refined/clip/val_0001.zarr.zip"]),
        ("array/regions/c", ["superpixels/ssr/val_0001.zarr.zip"]),
        ("array/pseudo_label/c?method=ssr", ["pseudo_labels/ssr/val_0001.zip"]),
        ("affinity/c", ["features/ssr/val_0001.zarr.zip"]),
        ("affinity/c?method=clip", ["features/ssr/val_0001.zarr.zip"]),
        (
            "scores/prediction",
            ["evaluation/prediction/ssr/val.json", "evaluation/prediction/ssr/val.images.parquet"],
        ),
        ("prototypes?round=2", ["prototypes/ssr/2.npz"]),
    ],
)
def test_what_is_to_come_is_under_way_or_has_failed(
    watched: tuple[Path, Journal, TestClient], path: str, outputs: list[str]
) -> None:
    folder, journal, client = watched
    made = job(*outputs)
    assert client.get(path).text == "not run yet"
    journal.started(made)
    assert client.get(path).text.startswith(f"under way since {datetime.now():%Y-}")
    journal.failed(made, "", [])
    why = missing(client, path)
    assert why == "failed, log: results/small/logs/x.log"
    told = states(folder)  # as `ssr status` asks
    assert {str(told.of(Path(output))) for output in made.outputs} == {why}


def test_what_is_never_made_has_not_failed(watched: tuple[Path, Journal, TestClient]) -> None:
    _, journal, client = watched
    made = job("cams/aligned/clip/val_0001.zarr.zip")
    journal.started(made)
    journal.failed(made, "", [])
    assert client.get("array/aligned_cam/c?method=clip").text == "method clip has no alignment"


def test_another_run_is_seen_without_a_new_start(
    watched: tuple[Path, Journal, TestClient], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, journal, client = watched
    index = folder / "index/index.parquet"
    images = Index.read(index).images
    assert client.get("image/b").status_code == 200

    index.unlink()
    journal.started(job("index/index.parquet"))
    assert client.get("images.json").text.startswith("the index of the images: under way since ")
    Index(images[:1]).write(index)
    assert client.get("images.json").json()["id"] == ["a"]
    assert client.get("image/b").status_code == 404

    config = folder / "logs/config.json"
    config.write_text(config.read_text().replace('"cat"', '"lion"'))
    assert client.get("describe.json").json()["classes"][1] == "lion"
    config.write_text("{")
    assert client.get("describe.json").json()["classes"][1] == "lion"
    assert client.get("describe.json").status_code == 200
    assert capsys.readouterr().err.count("warning: the page stays as it was: ") == 1


def test_affinities_are_those_of_the_features_that_are_there(
    watched: tuple[Path, Journal, TestClient],
) -> None:
    folder, _, client = watched
    before = values(client.get("affinity/a?patch=9"))
    store = folder / "features/ssr/val_0000.zarr.zip"
    shards = open_shards([store])
    with ShardWriter(store) as writer:
        for image_id in shards.ids:
            arrays = {name: shards.read(image_id, name) for name in shards.names(image_id)}
            arrays["clip_attention"] = arrays["clip_attention"][::-1].copy()
            writer.add(image_id, arrays)
    after = values(client.get("affinity/a?patch=9"))
    assert not np.array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_without_masks_nothing_is_compared(results: Results) -> None:
    bare = open_results(results.folder)
    without = {"data": {"masks": None}, "labels": {"threshold": 0.5}}
    bare.config = parse_config(merge(bare.config.model_dump(), without))
    client = TestClient(application([bare], TOKEN), base_url=BASE)
    assert client.get("array/truth/a").text == "the data set has no masks"
    assert client.get("scores/prediction").text == "nothing is evaluated without masks"


def test_methods_say_which_stages_they_do_without(client: TestClient) -> None:
    absent = client.get("describe.json").json()["absent"]
    assert absent["ssr"] == {}
    assert set(absent["clip"]) == {"aligned_cam", "prediction", "prediction_crf"}
    assert absent["clip_attention"]["target"].startswith("method clip_attention refines without")


def test_what_methods_share_has_one_owner(results: Results) -> None:
    other = copy.copy(results)
    values = results.config.model_dump()
    values["methods"]["fine"] = {"superpixels": {"segments": 50}}
    other.config = parse_config(values)
    owners = describe(other)["owners"]
    assert "aligned_cam" not in owners["clip"]
    assert {owners["clip"][stage] for stage in ("features", "regions", "initial_cam")} == {"ssr"}
    assert {owners["fine"][stage] for stage in ("regions", "target")} == {"fine"}
    assert owners["fine"]["aligned_cam"] == "ssr"


def test_predictions_of_another_system_have_nothing_before_them(results: Results) -> None:
    peer = copy.copy(results)
    values = results.config.model_dump()
    values["foreign"] = {"peer": {"path": "peer", "format": "predictions"}}
    peer.config = parse_config(values)
    told = describe(peer)
    assert told["owners"]["peer"] == {"prediction": "peer"}
    assert {"features", "regions", "refined_cam", "prediction_crf"} <= told["absent"]["peer"].keys()


def test_the_stamp_changes_when_something_was_made(
    watched: tuple[Path, Journal, TestClient],
) -> None:
    folder, journal, client = watched
    seen = [client.get("stamp").text]
    assert client.get("stamp").text == seen[0]
    scores = folder / "evaluation/refined_cam/ssr/val.images.parquet"
    journal.started(job("any"))
    seen.append(client.get("stamp").text)
    write_image_counts(scores, {})
    seen.append(client.get("stamp").text)
    assert len(set(seen)) == 3


def test_several_folders_lie_side_by_side(results: Results) -> None:
    both = [results, open_results(results.folder)]
    client = TestClient(application(both, TOKEN), base_url=BASE)
    first, second = (client.get(f"{path}describe.json").json() for path in ("", "2/"))
    assert first["folders"] == second["folders"]
    assert [*first["folders"]] == [first["path"], second["path"]] == [f"/{TOKEN}/", f"/{TOKEN}/2/"]
    assert client.get("2/image/a").status_code == 200


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["x/results/a"], ["a"]),
        (["x/results/a", "y/results/b"], ["a", "b"]),
        (["x/results/a", "y/results/a"], ["x/results/a", "y/results/a"]),
    ],
)
def test_folders_are_told_apart_by_their_paths(folders: list[str], names: list[str]) -> None:
    assert distinct_names([Path("/data", folder) for folder in folders]) == names


def test_the_page_may_load_nothing_from_elsewhere(client: TestClient) -> None:
    answer = client.get("")
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert not re.search(r"https?://", answer.text)


def test_images_are_jpegs_of_the_wanted_side(client: TestClient) -> None:
    answer = client.get("image/a?side=32")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:2] == b"\xff\xd8"


def test_cams_are_scaled_and_of_the_patch_grid(client: TestClient, results: Results) -> None:
    shown = values(client.get("array/refined_cam/a?method=ssr"))
    stored = open_shards([results.folder / "cams/refined/ssr/val_0000.zarr.zip"]).read("a", "cams")
    assert shown.shape == stored.shape == (2, 6, 8)
    assert (shown.min(), shown.max()) == (0, 1)
    assert np.array_equal(shown.reshape(2, -1).argmax(1), stored.reshape(2, -1).argmax(1))


@pytest.mark.parametrize("stage", ["truth", "pseudo_label", "prediction", "prediction_crf"])
def test_label_maps_are_of_the_size_of_the_image(client: TestClient, stage: str) -> None:
    shown = values(client.get(f"array/{stage}/a"))
    assert (shown.shape, shown.dtype) == ((48, 64), np.uint8)


def test_the_truth_is_the_mask(client: TestClient, results: Results) -> None:
    masks = Masks.read(results.folder / "index/masks.parquet", results.config.data.root)
    np.testing.assert_array_equal(values(client.get("array/truth/a")), masks.load("a"))


def test_the_target_is_on_or_off_in_each_patch(client: TestClient) -> None:
    target = values(client.get("array/target/a"))
    assert target.shape == (2, 6, 8)
    assert set(np.unique(target)) == {0, 1}
    assert missing(client, "array/target/a?method=clip_attention").startswith("method clip_att")


def test_affinity_rows_and_columns_are_those_of_the_stores(
    client: TestClient, results: Results
) -> None:
    clip = results["features/ssr"]["a"]["clip_attention"].astype(np.float32)
    row, column = (
        values(client.get(f"affinity/a?patch=9&mode={mode}")) for mode in ("row", "column")
    )
    np.testing.assert_array_equal(row[0].ravel(), clip[9])
    np.testing.assert_array_equal(column[0].ravel(), clip[:, 9])
    np.testing.assert_allclose(row[2], column[2])  # the fused affinity is symmetric


def test_scores_say_what_each_image_is_worth(client: TestClient) -> None:
    table = client.get("scores/refined_cam").json()
    assert table["id"] == ["a", "b", "c", "d"]
    assert all(0 < value <= 1 for value in table["miou"])
    assert set(table["iou"][1]) >= {"0", "1"}
    assert missing(client, "scores/prediction") == "not run yet"


def test_clusters_name_their_class_nearest_images_and_texts(client: TestClient) -> None:
    found = client.get("prototypes").json()
    assert found["round"] == 1
    assert sorted(cluster["class"] for cluster in found["clusters"]) == [1, 2, 3]
    for cluster in found["clusters"]:
        name = ["cat", "dog", "owl"][cluster["class"] - 1]
        assert cluster["texts"][0][0] == name
        assert {(label, shown) for _, label, _, shown in cluster["images"]} == {
            (name, cluster["class"])
        }


def test_clusters_of_a_tuned_block_lie_in_clips_own_space(results: Results) -> None:
    tuned = copy.copy(results)
    alignment = results.config.alignment.model_copy(update={"trains": "last_block"})
    tuned.config = results.config.model_copy(update={"alignment": alignment})
    for cluster in clusters(tuned, "ssr", 1)["clusters"]:
        name = ["cat", "dog", "owl"][cluster["class"] - 1]
        assert {label for _, label, *_ in cluster["images"]} == {name}
