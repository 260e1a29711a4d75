"""Samples of a shard of stored features and CAMs, and two rounds of CMPA on them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ssr.alignment.losses import LOSSES
from ssr.alignment.prototypes import Prototypes
from ssr.alignment.samples import Samples
from ssr.alignment.trained import load_aligner, load_looks, save_aligner
from ssr.artefacts.arrays import load_arrays
from ssr.artefacts.store import ShardWriter, open_shards
from ssr.backbones.text import TextEmbeddings
from ssr.config import AlignedCams, Alignment, Cams
from ssr.config import Prototypes as Settings
from ssr.data.index import Image, Index
from tests.backbone_models import tiny_clip

Run = Callable[..., None]
LABELS = {"a": (2,), "b": (1, 2), "c": (1,), "unknown": ()}
DIMENSION, WIDTH, GRID = 24, 32, (2, 3)
ALIGNMENT = Alignment(iterations=3, batch_size=4, width=8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Index, features, CAMs and texts of four images, which themselves are not there."""
    random = np.random.default_rng(0)
    images = [Image(n, f"{n}.jpg", 24, 16, "train", v, "train_0000") for n, v in LABELS.items()]
    images.append(Image("other", "other.jpg", 24, 16, "val", (1,), "val_0000"))
    Index(tuple(images)).write(tmp_path / "index.parquet")
    with (
        ShardWriter(tmp_path / "features.zarr.zip") as features,
        ShardWriter(tmp_path / "cams.zarr.zip") as cams,
    ):
        for name, labels in LABELS.items():
            tokens = random.standard_normal((1 + GRID[0] * GRID[1], WIDTH)).astype(np.float16)
            features.add(name, {"tokens": tokens, "grid": np.array(GRID, np.int32)})
            if labels:
                cams.add(name, {"cams": random.random((len(labels), *GRID), np.float32)})
    texts = random.standard_normal((5, DIMENSION)).astype(np.float32)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    names = np.array(["one", "two", "x", "y", "z"])
    TextEmbeddings(texts[:2], texts[2:], names, np.float32(10)).write(tmp_path / "texts.npz")
    return tmp_path


def pool(run: Run, folder: Path, shard: str = "train_0000", **prototypes: Any) -> Path:
    output = folder / f"{shard}.npz"
    run(
        "pool_samples",
        *("--index", folder / "index.parquet", "--shard", shard),
        *("--backbone", tiny_clip(folder).canonical()),
        *("--prototypes", Settings(**prototypes).canonical()),
        *("--features", folder / "features.zarr.zip", "--cams", folder / "cams.zarr.zip"),
        *("--text", folder / "texts.npz", "--device", "cpu", "--output", output),
    )
    return output


def cluster(
    run: Run, folder: Path, number: int, alignment: Alignment = ALIGNMENT, **prototypes: Any
) -> Path:
    # Snakemake leaves nothing between a flag and the next one where a rule has no such input.
    images: list[object] = ["--features", "--cams"]
    if prototypes.get("pooling") == "after":
        images = ["--features", folder / "features.zarr.zip"]
        images += ["--cams", folder / "cams.zarr.zip"]
    previous = [folder / f"{number - 1}.safetensors"] if number > 1 else []
    output = folder / f"prototypes_{number}.npz"
    run(
        "cluster_prototypes",
        *("--index", folder / "index.parquet", "--backbone", tiny_clip(folder).canonical()),
        *("--prototypes", Settings(**prototypes).canonical(), "--alignment", alignment.canonical()),
        *("--seed", 0, "--text", folder / "texts.npz", "--device", "cpu"),
        *images,
        *("--samples", pool(run, folder, **prototypes), "--previous", *previous),
        *("--output", output),
    )
    return output


def align(
    run: Run, folder: Path, number: int, alignment: Alignment = ALIGNMENT, **prototypes: Any
) -> Path:
    previous = [folder / f"{number - 1}.safetensors"] if number > 1 else []
    output = folder / f"{number}.safetensors"
    pooling = Settings(**prototypes)
    images: list[object] = ["--index", "--features", "--backbone", "--pooling", "--cams"]
    if alignment.looks_at_images or pooling.pooling == "after":
        images = ["--index", folder / "index.parquet", "--features", folder / "features.zarr.zip"]
        images += ["--backbone", tiny_clip(folder).canonical()]
    if pooling.pooling == "after":
        images += ["--pooling", pooling.canonical(), "--cams", folder / "cams.zarr.zip"]
    run(
        "align_prototypes",
        *("--alignment", alignment.canonical(), "--seed", 0),
        *("--prototypes", folder / f"prototypes_{number}.npz", "--previous", *previous),
        *images,
        *("--work", folder / "work", "--output", output),
    )
    return output


def test_labelled_training_images_alone_give_samples(run_program: Run, folder: Path) -> None:
    samples = load_arrays(cluster(run_program, folder, 1), Samples, "cluster_prototypes")
    assert set(samples.images) == {"a", "b", "c"}
    of_classes = samples.foreground(2)
    found = list(zip(of_classes.images.tolist(), of_classes.labels.tolist(), strict=True))
    assert found == [("a", 1), ("b", 0), ("b", 1), ("c", 0)]
    np.testing.assert_allclose(np.linalg.norm(samples.features, axis=1), 1, atol=1e-5)


def test_a_sample_may_be_the_mean_patch(run_program: Run, folder: Path) -> None:
    path = cluster(run_program, folder, 1, sample="image")
    samples = load_arrays(path, Samples, "cluster_prototypes").foreground(2)
    assert samples.labels.tolist() == [1, 0, 1, 0]
    np.testing.assert_array_equal(samples.features[1], samples.features[2])  # of one image, b
    align(run_program, folder, 1)


def test_classes_alone_are_learned_from_where_backgrounds_are_off(
    run_program: Run, folder: Path
) -> None:
    alone = ALIGNMENT.model_copy(update={"backgrounds": False})
    path = cluster(run_program, folder, 1, alone)
    assert load_arrays(path, Samples, "cluster_prototypes").labels.max() < 2
    prototypes = load_arrays(path, Prototypes, "cluster_prototypes")
    assert len(prototypes.texts) == len(prototypes.image_prototypes) == 2


def test_rounds_hand_on_samples_and_heads(run_program: Run, folder: Path) -> None:
    first = cluster(run_program, folder, 1)
    before, metadata = load_aligner(align(run_program, folder, 1))
    assert metadata["iterations"] == 3
    second = cluster(run_program, folder, 2)
    one, two = (load_arrays(path, Samples, "cluster_prototypes") for path in (first, second))
    np.testing.assert_array_equal(one.features, two.features)
    prototypes = load_arrays(second, Prototypes, "cluster_prototypes")
    texts = before.text(torch.from_numpy(prototypes.texts)).numpy()
    own = prototypes.text_prototypes[prototypes.text_clusters]
    np.testing.assert_allclose(own, texts, atol=1e-6)
    assert load_aligner(align(run_program, folder, 2))[1]["iterations"] == 6


def test_a_round_leaves_heads_and_history_but_no_checkpoint(run_program: Run, folder: Path) -> None:
    cluster(run_program, folder, 1)
    align(run_program, folder, 1)
    lines = (folder / "1.csv").read_text().splitlines()
    assert lines[0] == "iteration,loss,temperature"
    assert len(lines) == 1 + ALIGNMENT.iterations
    assert not list((folder / "work").rglob("*.pt"))


def test_rounds_keep_their_heads_where_the_best_are_chosen(run_program: Run, folder: Path) -> None:
    looking = ALIGNMENT.model_copy(update={"stop": "tune"})
    found = []
    for number in (1, 2):
        cluster(run_program, folder, number, looking)
        found += load_looks(align(run_program, folder, number, looking))
    assert found == [0, 1, 2, 3, 4, 5, 6]


def test_image_labels_are_learned_from_the_patches_of_labelled_images(
    run_program: Run, folder: Path
) -> None:
    """Of a, c and b; b shows all classes, and two of the four images are no labelled ones."""
    alignment = ALIGNMENT.model_copy(update={"loss": "image_labels", "batch_size": 8})
    cluster(run_program, folder, 1, alignment)
    trained, _ = load_aligner(align(run_program, folder, 1, alignment))
    cluster(run_program, folder, 2, alignment)
    assert load_aligner(align(run_program, folder, 2, alignment))[1]["iterations"] == 6
    assert trained.image.layers[-1].weight.any()


def test_samples_may_be_pooled_after_isa(run_program: Run, folder: Path) -> None:
    """First where CLIP has them at unit length, then where the heads of the round before do."""
    path = cluster(run_program, folder, 1, unit_patches=True)
    before = load_arrays(path, Prototypes, "cluster_prototypes")
    first = cluster(run_program, folder, 1, pooling="after")
    one = load_arrays(first, Prototypes, "cluster_prototypes")
    samples = load_arrays(first, Samples, "cluster_prototypes")
    np.testing.assert_allclose(one.image_prototypes, before.image_prototypes, atol=1e-6)
    rapid = ALIGNMENT.model_copy(update={"stop": "tune", "learning_rate": 0.1})
    looks = load_looks(align(run_program, folder, 1, rapid, pooling="after"))
    at_start, trained = looks[0].image.layers[-1], looks[3].image.layers[-1]
    assert not at_start.weight.any()  # CLIP itself
    assert not at_start.bias.any()
    assert trained.weight.any()
    second = cluster(run_program, folder, 2, rapid, pooling="after")
    np.testing.assert_array_equal(
        load_arrays(second, Samples, "cluster_prototypes").features, samples.features
    )
    two = load_arrays(second, Prototypes, "cluster_prototypes")
    assert not np.allclose(one.image_prototypes, two.image_prototypes, atol=0.01)
    path = align(run_program, folder, 2, rapid, pooling="after")
    assert load_aligner(path)[1]["iterations"] == 6


def activate(
    run: Run, folder: Path, kind: str, aligned: Path | None
) -> dict[str, NDArray[np.float32]]:
    """The CAMs of train, CLIP's own or `aligned`."""
    settings = AlignedCams(score=kind) if aligned else Cams(score=kind)
    output = folder / f"activated_{kind}.zarr.zip"
    run(
        "activate_cams",
        *("--index", folder / "index.parquet", "--shard", "train_0000", "--device", "cpu"),
        *("--backbone", tiny_clip(folder).canonical(), "--cams", settings.canonical()),
        *("--features", folder / "features.zarr.zip", "--text", folder / "texts.npz"),
        *(["--alignment", aligned] if aligned else []),
        *("--output", output),
    )
    cams = open_shards([output])
    return {image: cams.read(image, "cams") for image in cams.ids}


LAST_BLOCK = ALIGNMENT.model_copy(update={"trains": "last_block", "learning_rate": 1e-3})


@pytest.mark.parametrize("loss", [*LOSSES, "image_labels"])
def test_clips_last_block_may_be_trained_instead_of_heads(
    run_program: Run, folder: Path, loss: str
) -> None:
    """Two rounds; at iteration 0 the CAMs are CLIP's to the bit, behind it they run through it."""
    settings = LAST_BLOCK.model_copy(update={"loss": loss, "stop": "tune"})
    pooling = "before" if settings.looks_at_images else "after"
    found = {}
    for number in (1, 2):
        cluster(run_program, folder, number, settings, pooling=pooling)
        found |= load_looks(align(run_program, folder, number, settings, pooling=pooling))
    assert [*found] == [0, 1, 2, 3, 4, 5, 6]
    start = folder / "start.safetensors"
    save_aligner(start, found[0], {"iterations": 0})
    for kind in ("gradient", "similarity"):
        own, untouched, tuned = (
            activate(run_program, folder, kind, aligned)
            for aligned in (None, start, folder / "2.safetensors")
        )
        for image, cams in own.items():
            np.testing.assert_array_equal(untouched[image], cams)
        assert not any(np.allclose(tuned[image], cams) for image, cams in own.items())


def test_prototypes_are_renewed_with_the_block_so_far(run_program: Run, folder: Path) -> None:
    first = cluster(run_program, folder, 1, LAST_BLOCK, pooling="after")
    align(run_program, folder, 1, LAST_BLOCK, pooling="after")
    second = cluster(run_program, folder, 2, LAST_BLOCK, pooling="after")
    one, two = (load_arrays(path, Prototypes, "cluster_prototypes") for path in (first, second))
    assert not np.allclose(one.image_prototypes, two.image_prototypes)
    # Texts stay where they are.
    np.testing.assert_array_equal(one.text_prototypes, two.text_prototypes)


FROM_PATCHES = pytest.mark.parametrize(
    ("loss", "pooling", "trains"),
    [
        ("cross_modal", "before", "heads"),
        ("image_labels", "before", "heads"),
        ("cross_modal", "after", "heads"),
        ("cross_modal", "after", "last_block"),
    ],
)


@FROM_PATCHES
def test_equal_inputs_give_equal_files(
    run_program: Run, folder: Path, loss: str, pooling: str, trains: str
) -> None:
    alignment = ALIGNMENT.model_copy(update={"loss": loss, "trains": trains})

    def make() -> tuple[bytes, bytes]:
        prototypes = cluster(run_program, folder, 1, alignment, pooling=pooling).read_bytes()
        return prototypes, align(run_program, folder, 1, alignment, pooling=pooling).read_bytes()

    assert make() == make()


@FROM_PATCHES
def test_masks_are_never_read(
    run_program: Run, folder: Path, loss: str, pooling: str, trains: str
) -> None:
    alignment = ALIGNMENT.model_copy(update={"loss": loss, "trains": trains})
    (folder / "masks.parquet").write_bytes(b"reading this would fail")
    opened: list[str] = []
    watching = True
    sys.addaudithook(
        lambda event, given: watching and event == "open" and opened.append(f"{given[0]}")
    )
    cluster(run_program, folder, 1, alignment, pooling=pooling)
    align(run_program, folder, 1, alignment, pooling=pooling)
    watching = False
    assert any("features.zarr.zip" in path for path in opened)
    assert not [path for path in opened if "mask" in Path(path).name]


def test_a_damaged_input_is_named(run_program: Run, folder: Path) -> None:
    (folder / "prototypes_1.npz").write_bytes(b"cut short")
    with pytest.raises(SystemExit) as exit_status:
        align(run_program, folder, 1)
    assert "prototypes_1.npz: expected what cluster_prototypes writes" in str(exit_status.value)
