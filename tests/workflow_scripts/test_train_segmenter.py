import csv
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from ssr.artefacts.store import open_shards
from ssr.backbones.networks import load_clip
from ssr.backbones.text import TextEmbeddings
from ssr.config import Prediction, Segmenter
from ssr.data.index import Image, Index
from ssr.data.masks import Masks
from ssr.data.pngs import PngWriter, encode_png
from tests.backbone_models import tiny_clip

TINY = {"width": 16, "heads": 2, "crop_size": 32, "batch_size": 2, "iterations": 2}


@pytest.fixture
def programs(shard_folder, run_program):
    """`train(**changes)` and `predict()` on the folder of two images, and the folder."""
    sizes = {image.id: image for image in Index.read(shard_folder / "index.parquet").images}
    with PngWriter(shard_folder / "labels.zip") as writer:
        for name in ("wide", "tall"):
            labels = np.zeros((sizes[name].height, sizes[name].width), np.uint8)
            labels[5:15, 5:15] = 1
            writer.add(name, labels)
    backbone = tiny_clip(shard_folder)
    rows = np.eye(4, load_clip(backbone, "cpu").visual.output_dim, dtype=np.float32)
    names = np.array(["cat", "dog", "sky", "grass"])
    texts = TextEmbeddings(rows[:2], rows[2:], names, np.float32(10))
    texts.write(shard_folder / "texts.npz")
    out = shard_folder / "out"
    model = ["--model", out / "model.safetensors", "--description", out / "model.json"]
    index = ["--index", shard_folder / "index.parquet", "--root", shard_folder]

    def training(**changes):
        settings = Segmenter(**(TINY | {"warmup": 1} | changes)).canonical()
        return [
            *[*index, "--labels", shard_folder / "labels.zip", "--classes", "cat", "dog"],
            *["--backbone", backbone.canonical(), "--segmenter", settings],
            *["--text", shard_folder / "texts.npz"],
            *["--seed", 0, "--work", out / "work", "--output", model[1], "--description", model[3]],
        ]

    def train(**changes):
        run_program("train_segmenter", *training(**changes))

    def predict():
        run_program(
            "predict_logits",
            *[*index, "--shard", "train_0000", "--prediction", Prediction().canonical(), *model],
            *["--output", out / "logits.zarr.zip"],
        )

    train.arguments = training
    return train, predict, out


def test_trains_exports_and_predicts(programs):
    train, predict, out = programs
    train()
    assert sorted(path.name for path in out.iterdir()) == [
        "history.csv",
        "model.json",
        "model.safetensors",
        "work",
    ]
    assert not list(out.glob("work/*/*.pt")), "checkpoints are cleared after the export"
    predict()
    logits = open_shards([out / "logits.zarr.zip"])
    assert logits.ids == ["wide", "tall"]
    wide, tall = (logits.read(name, "logits") for name in logits.ids)
    assert wide.dtype == np.float16
    assert wide.shape == (3, 5, 12)
    assert tall.shape == (3, 12, 5)
    assert np.isfinite(wide).all()


def test_full_supervision_trains_on_masks_and_on_nothing_else(programs, shard_folder, run_program):
    train, _, out = programs
    train()
    weak = load_file(out / "model.safetensors")
    arguments = train.arguments()
    start = arguments.index("--labels")
    masks = ["--masks", shard_folder / "masks.parquet"]
    arguments[start : start + 2] = masks
    images = Index.read(shard_folder / "index.parquet").split("train")
    references = {image.id: f"{image.id}_mask.png" for image in images}
    for image in images:
        labels = np.full((image.height, image.width), 2, np.uint8)
        (shard_folder / references[image.id]).write_bytes(encode_png(labels))
    Masks(references, shard_folder).write(masks[1])
    run_program("train_fully_supervised", *arguments)
    full = load_file(out / "model.safetensors")
    assert full.keys() == weak.keys()
    assert any((full[name] != weak[name]).any() for name in full)

    Masks({"wide": references["wide"]}, shard_folder).write(masks[1])
    with pytest.raises(SystemExit, match=r"1 of 2 training images have no mask, .* is tall"):
        run_program("train_fully_supervised", *arguments)


def test_equal_runs_give_equal_files(programs):
    train, predict, out = programs
    contents = []
    for _ in range(2):
        train()
        predict()
        contents.append([(out / name).read_bytes() for name in sorted_files(out)])
    assert contents[0] == contents[1]


def sorted_files(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_other_settings_have_another_work_folder(programs):
    train, _, out = programs
    train()
    train(iterations=3)
    assert len(list((out / "work").iterdir())) == 2


def test_a_missing_pseudo_label_ends_in_one_line(programs, shard_folder):
    train, _, out = programs
    with PngWriter(shard_folder / "labels.zip") as writer:
        writer.add("wide", np.zeros((20, 45), np.uint8))
    with pytest.raises(SystemExit, match=r"error: .*no pseudo-label, .* the first is tall"):
        train()
    assert not out.exists()


def test_texts_of_other_classes_are_refused(programs, shard_folder):
    train, _, _ = programs
    texts = TextEmbeddings.read(shard_folder / "texts.npz")
    replace(texts, names=texts.names[[1, 0, 2, 3]]).write(shard_folder / "texts.npz")
    with pytest.raises(SystemExit, match=r"must be of \['cat', 'dog'\], came \['dog', 'cat'\]"):
        train()


def test_missing_texts_end_in_one_line(programs, run_program):
    train, _, _ = programs
    arguments = train.arguments()
    start = arguments.index("--text")
    with pytest.raises(SystemExit, match=r"--text is missing, and segmenter\.text is true"):
        run_program("train_segmenter", *arguments[:start], *arguments[start + 2 :])


def test_an_image_without_labels_is_predicted_but_not_learned_from(programs, shard_folder):
    train, predict, out = programs
    images = [*Index.read(shard_folder / "index.parquet").images]
    images[1] = Image(**{**vars(images[1]), "labels": ()})
    Index(tuple(images)).write(shard_folder / "index.parquet")
    with PngWriter(shard_folder / "labels.zip") as writer:
        writer.add("wide", np.ones((20, 45), np.uint8))
    train()
    predict()
    assert open_shards([out / "logits.zarr.zip"]).ids == ["wide", "tall"]


PROGRAM = ["-m", "workflow_scripts.train_segmenter"]
# So many that a signal on a busy machine comes before the last.
ITERATIONS = 150
AGENT = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def rows(out):
    """Of the history that a training is writing."""
    return sum(len(path.read_text().splitlines()) - 1 for path in out.glob("work/*/history.csv"))


def wait_until(reached):
    end = time.monotonic() + 600
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(process):
    try:
        return open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "number", "status"),
    [
        pytest.param([*PROGRAM, "--processes", "2"], signal.SIGUSR1, 138, id="own launch"),
        pytest.param([*AGENT, *PROGRAM], signal.SIGTERM, 1, id="torchrun"),
        pytest.param([*PROGRAM, "--processes", "2"], signal.SIGKILL, -9, id="killed launch"),
    ],
)
def test_two_processes_are_stopped_and_one_continues(programs, command, number, status):
    train, _, out = programs
    changes = {"micro_batch": 1, "iterations": ITERATIONS, "checkpoint_every": 1000}
    arguments = [*train.arguments(**changes), "--device", "cpu"]
    job = subprocess.Popen([sys.executable, *command, *map(str, arguments)])
    wait_until(lambda: rows(out) >= 2 or job.poll() is not None)
    with open(f"/proc/{job.pid}/task/{job.pid}/children") as children:
        processes = children.read().split()
    job.send_signal(number)
    assert job.wait() == status
    wait_until(lambda: not any(map(alive, processes)))
    stopped = rows(out)
    assert 2 <= stopped < ITERATIONS
    assert [path.name for path in out.glob("work/*/*.pt")] == [f"iteration_{stopped:08}.pt"]

    train(**changes)
    continued = load_file(out / "model.safetensors")
    losses = list(csv.reader((out / "history.csv").open()))
    train(**changes)
    assert len(losses) == ITERATIONS + 1
    for name, value in load_file(out / "model.safetensors").items():
        np.testing.assert_allclose(continued[name], value, rtol=1e-3, atol=1e-3, err_msg=name)


def test_more_processes_than_micro_batches_end_in_one_line(programs, run_program):
    train, _, out = programs
    with pytest.raises(SystemExit, match=r"^error: 3 processes can't share 1 micro-batches"):
        run_program("train_segmenter", *train.arguments(), "--processes", "3")
    assert not out.exists()
