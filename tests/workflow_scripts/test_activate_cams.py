"""activate_cams: the program on a shard of stored features."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ssr.alignment.heads import HeadOptions, new_heads
from ssr.alignment.trained import save_aligner
from ssr.artefacts.store import Shards, ShardWriter, open_shards
from ssr.backbones.networks import load_clip
from ssr.backbones.text import TextEmbeddings
from ssr.cams.activation import clip_score, gradient_cam
from ssr.config import AlignedCams, Cams
from ssr.data.index import Image, Index
from tests.backbone_models import tiny_clip

Run = Callable[..., None]
RANDOM = np.random.default_rng(0)
LABELS = {"one": (2,), "two": (1, 3), "unknown": ()}
TOKENS = {name: RANDOM.standard_normal((7, 32)).astype(np.float16) for name in LABELS}
DIMENSION = 24


def unit(rows: int) -> np.ndarray:
    vectors = RANDOM.standard_normal((rows, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


CLASSES, BACKGROUNDS = unit(3), unit(2)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """A folder with index, features of 2 by 3 patches and texts of 3 classes."""
    images = [Image(n, "", 24, 16, "train", v, "train_0000") for n, v in LABELS.items()]
    Index(tuple(images)).write(tmp_path / "index.parquet")
    with ShardWriter(tmp_path / "features.zarr.zip") as writer:
        for name, tokens in TOKENS.items():
            writer.add(name, {"tokens": tokens, "grid": np.array([2, 3], np.int32)})
    write_texts(tmp_path, CLASSES)
    heads = new_heads(
        HeadOptions(DIMENSION, layers=1, width=8, residual=False),
        torch.from_numpy(unit(20)),
        torch.from_numpy(np.concatenate([CLASSES, BACKGROUNDS])),
        seed=0,
    )
    save_aligner(tmp_path / "heads.safetensors", heads, {})
    return tmp_path


def write_texts(folder: Path, classes: np.ndarray) -> None:
    names = np.array(["a", "b", "c", "d", "e"])
    TextEmbeddings(classes, BACKGROUNDS, names, np.float32(10)).write(folder / "texts.npz")


def activate(run_program: Run, folder: Path, settings: Cams, aligned: bool = False) -> Shards:
    alignment: list[Any] = ["--alignment", folder / "heads.safetensors"] if aligned else []
    run_program(
        "activate_cams",
        *("--index", folder / "index.parquet", "--shard", "train_0000", "--device", "cpu"),
        *("--backbone", tiny_clip(folder).canonical(), "--cams", settings.canonical()),
        *("--features", folder / "features.zarr.zip", "--text", folder / "texts.npz"),
        *alignment,
        *("--output", folder / "cams.zarr.zip"),
    )
    return open_shards([folder / "cams.zarr.zip"])


def test_each_labelled_image_has_a_raw_map_per_class(run_program: Run, shard: Path) -> None:
    cams = activate(run_program, shard, Cams(score="gradient"))
    assert cams.ids == ["one", "two"]
    clip = load_clip(tiny_clip(shard), "cpu")
    for name in cams.ids:
        rows = [label - 1 for label in LABELS[name]]
        texts = torch.from_numpy(np.concatenate([CLASSES[rows], BACKGROUNDS]))
        expected = gradient_cam(
            clip, torch.from_numpy(TOKENS[name]), clip_score(texts, 10.0, "product"), len(rows)
        )
        maps = cams.read(name, "cams")
        assert maps.dtype == np.float32
        np.testing.assert_allclose(maps, expected.reshape(-1, 2, 3), rtol=1e-4, atol=1e-7)
        assert cams.read(name, "classes").tolist() == list(LABELS[name])


@pytest.mark.parametrize("aligned", [False, True])
def test_what_the_gradient_is_taken_of_is_a_setting(
    run_program: Run, shard: Path, aligned: bool
) -> None:
    kind = AlignedCams if aligned else Cams
    cosine, product = (
        activate(run_program, shard, kind(score="gradient", gradient=gradient), aligned).read(
            "two", "cams"
        )
        for gradient in ("cosine", "product")
    )
    assert not np.allclose(cosine, product)


def test_equal_input_gives_an_equal_file(run_program: Run, shard: Path) -> None:
    activate(run_program, shard, Cams(score="gradient"))
    first = (shard / "cams.zarr.zip").read_bytes()
    activate(run_program, shard, Cams(score="gradient"))
    assert (shard / "cams.zarr.zip").read_bytes() == first


def test_a_class_that_is_absent_has_no_influence(run_program: Run, shard: Path) -> None:
    before = activate(run_program, shard, Cams(score="gradient")).read("two", "cams")
    write_texts(shard, np.stack([CLASSES[0], -CLASSES[1], CLASSES[2]]))
    cams = activate(run_program, shard, Cams(score="gradient"))
    np.testing.assert_array_equal(cams.read("two", "cams"), before)
    assert not np.allclose(cams.read("one", "cams"), before[:1])


def test_every_kind_of_cam_differs_from_the_others(run_program: Run, shard: Path) -> None:
    maps = []
    for score in ("gradient", "similarity"):
        maps.append(activate(run_program, shard, Cams(score=score)).read("two", "cams"))
        for background in ("aligned", "clip"):
            settings = AlignedCams(score=score, background=background)
            maps.append(activate(run_program, shard, settings, aligned=True).read("two", "cams"))
    assert all(np.isfinite(m).all() for m in maps)
    same = [np.allclose(a, b) for i, a in enumerate(maps) for b in maps[:i]]
    assert len(same) == 15
    assert not any(same)


def test_features_of_another_shard_are_refused(run_program: Run, shard: Path) -> None:
    with ShardWriter(shard / "features.zarr.zip") as writer:
        writer.add("stranger", {"tokens": TOKENS["one"], "grid": np.array([2, 3])})
    with pytest.raises(SystemExit, match=r"error: image one is not in .*features"):
        activate(run_program, shard, Cams(score="gradient"))
    assert not (shard / "cams.zarr.zip").exists()
