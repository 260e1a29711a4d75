"""`ssr import`: corrected masks come back, and none that is there is lost."""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import yaml

from ssr.annotation.formats import WRITERS
from ssr.annotation.labelled import LabelledImage
from ssr.data.pngs import read_labels
from ssr.errors import InputError
from ssr.init import command, corrected
from tests.init.conftest import SIZE, boats

Capture = pytest.CaptureFixture[str]
CLASSES = ("boat", "gull")
MAPS = {name: np.full(SIZE, value, np.uint8) for value, name in enumerate(("00", "01", "02"))}
CORRECTED = Path("corrected")


@pytest.fixture
def settings(folder: Path, capsys: Capture) -> Path:
    """The settings of a data set of twelve images of boats and gulls, without a mask."""
    command.main(Namespace(folder=boats(folder), out=None, check=None))
    capsys.readouterr()
    return Path("harbour.yaml")


def export(maps: dict[str, np.ndarray], tool: str = "coco") -> None:
    """What a tool exports of images by these names."""
    images: Iterable[LabelledImage] = (LabelledImage(f"{n}.jpg", own) for n, own in maps.items())
    WRITERS[tool](CORRECTED, images, CLASSES)


def bring(settings: Path, replace: bool = False) -> int:
    arguments = Namespace(export=CORRECTED, settings=settings, replace=replace)
    return corrected.main(arguments)


def masks(folder: str = "masks") -> dict[str, int]:
    """The index of which each mask is full."""
    return {path.stem: int(read_labels(path).max()) for path in Path("harbour", folder).iterdir()}


def test_masks_come_back_and_are_used_by_the_settings(settings: Path, capsys: Capture) -> None:
    export(MAPS)
    assert bring(settings) == 0
    assert capsys.readouterr().out == (
        "corrected: COCO's instances\n"
        "written: harbour/masks (3 masks; 0 were there before)\n"
        "harbour.yaml: say data.masks: masks, so that they are used\n"
        "next:\n  ssr init --check harbour.yaml\n"
    )
    assert masks() == {"00": 0, "01": 1, "02": 2}
    values = yaml.safe_load(settings.read_text())
    values["data"]["masks"] = "masks"
    settings.write_text(yaml.safe_dump(values))
    assert command.main(Namespace(folder=None, out=None, check=settings)) == 0
    assert "3 masks" in capsys.readouterr().out
    bring(settings)
    assert "written: harbour/masks (0 masks; 3 were there before)\nnext:" in capsys.readouterr().out


def test_names_are_known_whatever_a_tool_adds_to_them(settings: Path) -> None:
    export({"deep/00": MAPS["00"], "1a2b3c4d-01": MAPS["01"]})
    bring(settings)
    assert masks() == {"00": 0, "01": 1}
    shutil.rmtree(CORRECTED)
    export({"02.b": MAPS["02"]})
    with pytest.raises(InputError, match=r"an image that the data set lacks: 02\.b$"):
        bring(settings)


def test_masks_that_are_there_are_kept_unless_they_are_to_be_replaced(
    settings: Path, capsys: Capture
) -> None:
    export(MAPS)
    bring(settings)
    shutil.rmtree(CORRECTED)
    export({"00": MAPS["00"], "01": MAPS["02"]})
    with pytest.raises(InputError, match=r"other masks of 1 of 2 images, such as 01\.png; nothing"):
        bring(settings)
    assert masks() == {"00": 0, "01": 1, "02": 2}
    capsys.readouterr()
    bring(settings, replace=True)
    assert masks() == {"00": 0, "01": 2, "02": 2}
    assert masks("masks_before_1") == {"01": 1}
    said = capsys.readouterr().out
    assert "written: harbour/masks (1 masks; 1 were there before)" in said
    assert "put aside: harbour/masks_before_1 (1 masks)" in said


def test_all_that_does_not_fit_is_named_and_nothing_is_written(settings: Path) -> None:
    export(MAPS | {"99": MAPS["00"], "03": MAPS["00"][1:], "x/02": MAPS["02"]}, "fiftyone")
    with pytest.raises(InputError) as raised:
        bring(settings)
    said = str(raised.value)
    assert said.startswith("the export corrected cannot be used:")
    assert "1 × mask of an image that the data set lacks: 99.png" in said
    assert "1 × mask of another size than its image: 03.png (31×48, the image 32×48)" in said
    assert "1 × image with two masks: x/02.png" in said
    assert not Path("harbour/masks").exists()


def test_classes_of_another_data_set_are_refused(settings: Path) -> None:
    export(MAPS)
    path = CORRECTED / "instances.json"
    path.write_text(json.dumps(json.loads(path.read_text())).replace("gull", "tern"))
    with pytest.raises(InputError, match=r"1 × label that is no class: tern \(02\)"):
        bring(settings)


def test_predictions_that_nobody_has_corrected_are_no_masks(settings: Path) -> None:
    export(MAPS, "fiftyone")
    (CORRECTED / "segmentation.json").write_text("{}")
    with pytest.raises(InputError, match="are predictions; ssr export --masks takes them to a"):
        bring(settings)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mask_colours": {"boat": "#ff0000", "background": "#000000"}}, "masks .* are indices"),
        ({"format": "demo"}, "into a data set of folder or voc; came demo"),
    ],
)
def test_a_data_set_whose_masks_are_otherwise_is_refused(
    settings: Path, changes: dict[str, object], said: str
) -> None:
    values = yaml.safe_load(settings.read_text())
    values["data"] |= changes
    settings.write_text(yaml.safe_dump(values))
    export(MAPS)
    with pytest.raises(InputError, match=said):
        bring(settings)


def test_it_says_how_many_images_change_between_tune_and_val(
    settings: Path, capsys: Capture
) -> None:
    values = yaml.safe_load(settings.read_text())
    settings.write_text(yaml.safe_dump(values | {"data": values["data"] | {"masks": "masks"}}))
    export({"01": MAPS["01"], "02": MAPS["02"]})
    bring(settings)
    assert "warning" not in capsys.readouterr().err
    shutil.rmtree(CORRECTED)
    export({"00": MAPS["00"]})  # before the others in the order by which they are divided
    bring(settings)
    assert "warning: 2 images change between tune and val" in capsys.readouterr().err
