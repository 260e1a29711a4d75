"""Results of four small scenes, with everything that the page shows but one stage."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import ConsoleMessage, Page, expect

from ssr.alignment.heads import starting_heads
from ssr.alignment.prototypes import make_prototypes
from ssr.alignment.samples import Samples
from ssr.artefacts.arrays import save_arrays
from ssr.backbones.text import TextEmbeddings
from ssr.evaluation.evaluation import count, count_cams, count_labels, pair_with_masks
from ssr.evaluation.image_scores import write_image_counts
from ssr.results import Results, open_results
from tests.browser import launched
from tests.made_up_results import copy_with, make_results
from workflow_scripts.draw_browser_pictures import served

TOKEN = "a-token"
WINDOW = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Methods ssr, clip and clip_attention; of the last two only the features have run."""
    opened = open_results(make_results(tmp_path_factory.mktemp("inspected")))
    _write_scores(opened)
    _write_prototypes(opened)
    return opened


@pytest.fixture(scope="package")
def chromium() -> Iterator[Page]:
    with launched() as browser:
        yield browser.new_page(viewport=WINDOW)


@pytest.fixture(scope="package")
def address(results: Results) -> Iterator[str]:
    """Of the results, then of the same once more."""
    with served(results.folder, results.folder) as found:
        yield found.rstrip("/")


@pytest.fixture(scope="package")
def other(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of these results, image a is one of train, to which no stage has come."""
    train = {"split": "train", "shard": "train_0000"}
    copy = copy_with(results.folder, tmp_path_factory.mktemp("other"), a=train)
    with served(copy) as found:
        yield found.rstrip("/")


@pytest.fixture
def page(chromium: Page, address: str) -> Iterator[Page]:
    """The gallery; in the end no script has failed, and the console is clean."""
    errors: list[object] = []

    def note(error: object) -> None:
        errors.append(error.text if isinstance(error, ConsoleMessage) else error)

    chromium.on("pageerror", note)
    chromium.on("console", note)
    chromium.goto(f"{address}/")
    expect(chromium.locator(".card")).to_have_count(4)
    yield chromium
    chromium.set_viewport_size(WINDOW)
    chromium.goto("about:blank")
    chromium.remove_listener("pageerror", note)
    chromium.remove_listener("console", note)
    assert errors == []


def _write_scores(results: Results) -> None:
    folder = results.folder
    for stage, store, counter in (
        ("aligned_cam", "cams/aligned/ssr/val_0000.zarr.zip", partial(count_cams, threshold=40)),
        ("refined_cam", "cams/refined/ssr/val_0000.zarr.zip", partial(count_cams, threshold=40)),
        ("pseudo_label", "pseudo_labels/ssr/val_0000.zip", count_labels),
    ):
        shards = pair_with_masks([folder / store], results.index.images, results.masks)
        tally = count(partial(counter, classes=4), shards, 1)
        path = folder / "evaluation" / stage / "ssr/val.images.parquet"
        write_image_counts(path, tally.images)


def _write_prototypes(results: Results) -> None:
    """One round of three clusters, one for each class."""
    random = np.random.default_rng(0)
    texts = np.eye(8, dtype=np.float32)[:5]
    labels = np.repeat(np.arange(5), 4)
    features = texts[labels] + 0.1 * random.normal(size=(20, 8)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    samples = Samples(np.tile(np.array(list("abcd")), 5), labels, features)
    heads = starting_heads(
        results.config.alignment, samples, torch.from_numpy(texts), results.config.seed
    )
    prototypes = make_prototypes(heads, samples, texts, 3, 3, 0)
    path = results.folder / "prototypes/ssr/1.npz"
    save_arrays(path, samples, prototypes)
    names = np.array([*results.config.data.classes, "sky", "sand"])
    embeddings = TextEmbeddings(texts[:3], texts[3:], names, np.float32(100))
    embeddings.write(Path(results.folder / "text/ssr/embeddings.npz"))
