"""A file of settings and its data set, checked before a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssr.errors import InputError
from ssr.init.check import (
    Labels,
    check_images,
    doubts_of,
    mean_patches,
    read_config,
    read_labels,
)
from ssr.init.layout import describe
from ssr.init.overlay import overlay
from tests.coco_folder import write_coco
from tests.init.conftest import LAPTOP, SIZE, boats, labelled, photographs


def written(folder: Path) -> Path:
    file = Path("harbour.yaml")
    file.write_text(overlay("harbour", describe(folder, []), 12, LAPTOP, ()))
    return file


def labels_of(folder: Path) -> Labels:
    return read_labels(read_config(written(folder)), Path())


def test_settings_lie_over_those_for_photographs(folder: Path) -> None:
    config = read_config(written(boats(folder)))
    assert config.backbones.clip.weights == "openai"
    assert config.data.classes == ("boat", "gull")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data: {clases: [a]}", r"data.clases: unknown key; did you mean classes\?"),
        ("dataset: a\ndataset: b", "x.yaml: dataset stands in lines 1 and 2"),
        ("data: [", "x.yaml: cannot be read as YAML"),
        ("- a", "x.yaml: wanted settings as key: value"),
    ],
)
def test_a_wrong_file_is_refused(clone: Path, text: str, words: str) -> None:
    Path("x.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        read_config(Path("x.yaml"))


def test_images_are_counted_by_class_before_any_is_opened(folder: Path) -> None:
    labels = labels_of(labelled(folder, ["a.jpg,boat;gull", "b.jpg,boat", "c.jpg,"]))
    assert labels.counts == {"boat": 2, "gull": 1}
    assert (len(labels.sources), labels.unlabelled) == (3, 1)


def test_images_that_are_there_by_nearly_their_name_are_named(folder: Path) -> None:
    boats(folder)
    images = folder / "images"
    (images / "03.jpg").rename(images / "03.JPG")
    (images / "04.jpg").rename(images / "04.jpeg")
    (images / "05.jpg").rename(images / "another.png")
    found = labels_of(folder).doubts()
    assert (
        found[0] == "2 × image that is not there, but nearly: 03.jpg (03.JPG?), 04.jpg (04.jpeg?)"
    )


def test_a_class_of_few_images_is_named_with_the_one_that_it_may_be(folder: Path) -> None:
    rows = [f"{n:02}.jpg,heron" for n in range(10)]
    (doubt,) = labels_of(labelled(folder, [*rows, "a.jpg,herom", "b.jpg,gull"])).doubts()
    assert doubt == (
        "2 × class that fewer than 10 images show: gull (1), herom (1, like heron with 10)"
    )


def test_rare_words_are_doubted_until_a_prompt_says_it_better(folder: Path) -> None:
    config = read_config(written(labelled(folder, ["a.jpg,kestrel", "b.jpg,boat"])))
    (doubt,) = doubts_of(config)
    assert "CLIP has hardly read kestrel;" in doubt
    text = config.text.model_copy(update={"prompts": {"kestrel": "small falcon bird"}})
    assert doubts_of(config.model_copy(update={"text": text})) == []


def test_every_image_is_opened_and_measured(folder: Path) -> None:
    config = read_config(written(boats(folder)))
    checked = check_images(config, Path(), 1)
    assert mean_patches(config, checked.index) == SIZE[0] * SIZE[1] / 16**2
    photographs(folder / "images", ["00.jpg"])
    (folder / "images/01.jpg").write_text("no image")
    with pytest.raises(InputError, match=r"1 × unreadable image: harbour/images/01.jpg"):
        check_images(config, Path(), 1)


def test_labels_and_masks_of_coco_are_derived_to_be_checked(folder: Path, clone: Path) -> None:
    write_coco(folder)
    config = read_config(written(folder))
    (clone / "derived").mkdir()
    labels = read_labels(config, clone / "derived")
    assert labels.counts == {"person": 5, "motorcycle": 4, "cup": 2}
    checked = check_images(config, clone / "derived", 1)
    assert len(checked.masks.ids) == 7


def test_a_comma_in_a_class_is_doubted(folder: Path) -> None:
    rows = [f'{n:02}.jpg,"heron, gull"' for n in range(10)]
    (doubt,) = labels_of(labelled(folder, rows)).doubts()
    assert doubt == "1 × class with a comma: labels are parted by semicolons: heron, gull"
