"""choose_heads: the program on stored features, heads of two rounds, and masks of tune."""

import copy
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from ssr.alignment.aligner import Aligner
from ssr.alignment.heads import HeadOptions, new_heads
from ssr.alignment.trained import load_aligner, load_looks, save_aligner
from ssr.artefacts.store import ShardWriter
from ssr.backbones.networks import load_clip
from ssr.backbones.text import TextEmbeddings
from ssr.cams.activation import ImageScores
from ssr.config import AlignedCams
from ssr.data.index import Image, Index
from ssr.data.masks import Masks
from ssr.data.pngs import encode_png
from ssr.evaluation.evaluation import LEVELS
from ssr.labelling.pseudo_labels import enlarge, strongest
from tests.backbone_models import tiny_clip

Run = Callable[..., None]
CLASSES = ("cat", "dog", "owl")
SHARDS = {"one": "tune_0000", "two": "tune_0001", "unknown": "tune_0001"}
LABELS: dict[str, tuple[int, ...]] = {"one": (2,), "two": (1, 3), "unknown": ()}
SIZE, GRID = (24, 32), (3, 4)
DIMENSION, WIDTH = 24, 32
LOOKS = (0, 2, 4, 6, 8)
CAMS = AlignedCams()


def unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write_rounds(folder: Path) -> None:
    """Heads that change nothing at the start, and from look to look at random."""
    options = HeadOptions(DIMENSION, layers=1, width=8)
    heads = new_heads(options, torch.from_numpy(unit(9, 2)), torch.from_numpy(unit(9, 3)), seed=0)
    states = {}
    for iterations in LOOKS:
        states[iterations] = {name: value.clone() for name, value in heads.state_dict().items()}
        with torch.no_grad():
            for head in (heads.image, heads.text):
                head.layers[-1].weight.add_(0.5 * torch.randn_like(head.layers[-1].weight))
    for number, end in ((1, 4), (2, 8)):
        heads.load_state_dict(states[end])
        earlier = {each: states[each] for each in LOOKS if end - 4 - (number == 1) < each < end}
        save_aligner(folder / f"{number}.safetensors", heads, {"iterations": end}, earlier)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Index, features and texts of three images of tune, and the heads of two rounds."""
    torch.manual_seed(0)
    images = [Image(n, "", SIZE[1], SIZE[0], "tune", LABELS[n], s) for n, s in SHARDS.items()]
    Index(tuple(images)).write(tmp_path / "index.parquet")
    for shard in set(SHARDS.values()):
        with ShardWriter(tmp_path / f"{shard}.zarr.zip") as writer:
            for name in (name for name, own in SHARDS.items() if own == shard):
                arrays = {"tokens": tokens(name), "grid": np.array(GRID, np.int32)}
                writer.add(name, arrays)
    names = np.array([*CLASSES, "sky", "sea"])
    TextEmbeddings(unit(3, 0), unit(2, 1), names, np.float32(20)).write(tmp_path / "texts.npz")
    write_rounds(tmp_path)
    return tmp_path


def tokens(name: str) -> np.ndarray:
    random = np.random.default_rng([*name.encode()])
    return random.standard_normal((1 + GRID[0] * GRID[1], WIDTH)).astype(np.float16)


def write_masks(folder: Path, heads: Aligner | None) -> None:
    """What the CAMs with `heads`, or CLIP's own, show at the threshold one half, as the truth."""
    texts = TextEmbeddings.read(folder / "texts.npz")
    clip, scores = (
        load_clip(tiny_clip(folder), "cpu"),
        ImageScores(texts, torch.device("cpu"), heads),
    )
    for name, labels in LABELS.items():
        mask = np.zeros(SIZE, np.uint8)
        if labels:
            entering = torch.from_numpy(tokens(name))
            maps = scores.activate(CAMS.score, clip, entering, labels)
            large = enlarge(maps.numpy().reshape(-1, *GRID), SIZE)
            winner, strength = strongest(large, np.array(labels))
            mask[:] = np.where(strength > 0.5, winner, 0)
        (folder / f"{name}.png").write_bytes(encode_png(mask))
    Masks({name: f"{name}.png" for name in LABELS}, folder).write(folder / "masks.parquet")


def choose(run: Run, folder: Path, cams: AlignedCams = CAMS) -> list[dict[str, float]]:
    run(
        "choose_heads",
        *("--index", folder / "index.parquet", "--masks", folder / "masks.parquet"),
        *("--root", folder, "--classes", *CLASSES, "--device", "cpu"),
        *("--backbone", tiny_clip(folder).canonical(), "--cams", cams.canonical()),
        *("--features", folder / "tune_0000.zarr.zip", folder / "tune_0001.zarr.zip"),
        *("--text", folder / "texts.npz"),
        *("--rounds", folder / "1.safetensors", folder / "2.safetensors"),
        *("--output", folder / "chosen.safetensors", "--seen", folder / "chosen.csv"),
    )
    with (folder / "chosen.csv").open(newline="") as stream:
        return [
            {name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)
        ]


def looks(folder: Path) -> dict[int, Aligner]:
    return load_looks(folder / "1.safetensors") | load_looks(folder / "2.safetensors")


@pytest.mark.parametrize("best", LOOKS)
def test_the_heads_whose_cams_the_masks_confirm_are_chosen(
    run_program: Run, folder: Path, best: int
) -> None:
    write_masks(folder, looks(folder)[best])
    seen = choose(run_program, folder)
    chosen, metadata = load_aligner(folder / "chosen.safetensors")
    assert [row["iteration"] for row in seen] == [*LOOKS]
    assert [row["miou"] == 1 for row in seen] == [number == best for number in LOOKS]
    assert metadata["iterations"] == best
    assert metadata["chosen"] == {"split": "tune", "images": 3, "miou": 1.0}
    expected = looks(folder)[best].state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in chosen.state_dict().items())


@pytest.mark.parametrize("background", ["aligned", "clip"])
def test_what_is_seen_at_the_start_are_clips_own_cams(
    run_program: Run, folder: Path, background: Literal["aligned", "clip"]
) -> None:
    write_masks(folder, None)
    start, *later = choose(run_program, folder, AlignedCams(background=background))
    assert (start["iteration"], start["miou"]) == (0, pytest.approx(1, abs=0.01))
    assert all(row["miou"] < start["miou"] for row in later)


def test_heads_that_never_change_are_those_of_the_start(run_program: Run, folder: Path) -> None:
    start = looks(folder)[0]
    for number, kept in ((1, (0, 2)), (2, (6,))):
        same = {each: copy.deepcopy(start.state_dict()) for each in kept}
        path = folder / f"{number}.safetensors"
        save_aligner(path, start, {"iterations": 4 * number}, same)
    write_masks(folder, start)
    assert len({row["miou"] for row in choose(run_program, folder)}) == 1
    assert load_aligner(folder / "chosen.safetensors")[1]["iterations"] == 0


def test_the_choice_is_by_the_figures_of_the_stage_that_follows(
    run_program: Run, folder: Path
) -> None:
    write_masks(folder, looks(folder)[6])
    (folder / "two.png").write_bytes(encode_png(np.full(SIZE, 3, np.uint8)))
    seen = choose(run_program, folder)
    cams = [folder / "cams" / f"{shard}.zarr.zip" for shard in dict.fromkeys(SHARDS.values())]
    for path in cams:
        shard = path.name.partition(".")[0]
        run_program(
            "activate_cams",
            *("--index", folder / "index.parquet", "--shard", shard, "--device", "cpu"),
            *("--backbone", tiny_clip(folder).canonical(), "--cams", CAMS.canonical()),
            *("--features", folder / path.name, "--text", folder / "texts.npz"),
            *("--alignment", folder / "chosen.safetensors", "--output", path),
        )
    run_program(
        "evaluate_cams",
        *("--stage", "aligned_cam", "--split", "tune", "--classes", *CLASSES),
        *("--index", folder / "index.parquet", "--masks", folder / "masks.parquet"),
        *("--root", folder, "--cams", *cams, "--output", folder / "tune.json"),
    )
    figures = json.loads((folder / "tune.json").read_text())
    best = max(seen, key=lambda row: row["miou"])
    assert (figures["miou"], figures["threshold"]) == (best["miou"], best["threshold"])
    assert 0 < best["miou"] < 1
    assert LEVELS * best["threshold"] == pytest.approx(round(LEVELS * best["threshold"]))


def test_equal_inputs_give_equal_files(run_program: Run, folder: Path) -> None:
    write_masks(folder, looks(folder)[2])

    def make() -> list[bytes]:
        choose(run_program, folder)
        return [(folder / f"chosen.{suffix}").read_bytes() for suffix in ("safetensors", "csv")]

    assert make() == make()


def test_rounds_that_kept_no_start_are_refused(run_program: Run, folder: Path) -> None:
    heads = load_aligner(folder / "1.safetensors")[0]
    write_masks(folder, heads)
    save_aligner(folder / "1.safetensors", heads, {"iterations": 4})
    with pytest.raises(SystemExit, match=r"error: .*1\.safetensors: lacks the heads of the start"):
        choose(run_program, folder)


def test_damaged_heads_are_named(run_program: Run, folder: Path) -> None:
    write_masks(folder, looks(folder)[2])
    (folder / "2.safetensors").write_bytes(b"cut short")
    with pytest.raises(SystemExit, match=r"2\.safetensors: expected what align_prototypes writes"):
        choose(run_program, folder)
    assert not (folder / "chosen.safetensors").exists()
