"""Two ways to write a path are one setting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ssr.config import Data, Evaluation, Segmenter
from ssr.config.networks import Backbone
from ssr.config.section import Section
from ssr.config.settings import parse_config
from ssr.errors import InputError

# A section in which a path stands.
PATHS: dict[str, Callable[[str], Section]] = {
    "data.root": lambda path: Data(root=path),
    "data.masks": lambda path: Data(masks=path),
    "data.labels_file": lambda path: Data(labels_file=path),
    "data.splits": lambda path: Data(format="coco", splits={"train": path}),
    "backbones.model": lambda path: Backbone(model=path, weights="random"),
    "backbones.weights": lambda path: Backbone(model="ViT-B-16", weights=path),
    "segmenter.config": lambda path: Segmenter(config=path),
    "evaluation.cam_list": lambda path: Evaluation(cam_list=path),
}


@pytest.mark.parametrize("make", PATHS.values(), ids=PATHS.keys())
def test_a_slash_behind_a_folder_means_nothing(make: Callable[[str], Section]) -> None:
    assert make("a/b/").canonical() == make("a/b").canonical()


@pytest.mark.parametrize("key", [key for key in PATHS if key != "data.splits"])
def test_a_tilde_is_the_home_folder(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert PATHS[key]("~/a//b/") == PATHS[key]("/home/ada/a/b")


@pytest.mark.parametrize("path", ["data/x", "../x/../y", "/x y", "a;b", "mmseg::fcn", "openai"])
def test_all_else_stays_as_it_is_written(path: str) -> None:
    assert Data(root=path).root == path


def test_a_home_that_nobody_has_is_named() -> None:
    with pytest.raises(InputError, match=r"data\.root: .*; came '~nobody-of-this-name/x'"):
        parse_config({"data": {"root": "~nobody-of-this-name/x"}})


def test_a_split_of_another_format_is_no_path() -> None:
    assert Data(format="folder", splits={"train": "a/"}).splits.train == "a/"


@pytest.mark.parametrize(
    ("named", "file"), [(None, None), ("mmseg::fcn", None), ("own.yaml", "own.yaml")]
)
def test_a_config_that_is_a_file_is_an_input(named: str | None, file: str | None) -> None:
    assert Segmenter(config=named).config_file == file
