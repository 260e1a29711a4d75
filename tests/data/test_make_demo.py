import numpy as np
import pytest

from ssr.config import Data, Demo
from ssr.data import make_demo as module
from ssr.data.check import check_dataset
from ssr.data.images import load_image
from ssr.data.make_demo import make_demo
from ssr.data.pngs import read_labels
from ssr.data.splits import split_ids
from ssr.demo.scenes import make_scenes
from ssr.demo.vocabulary import CLASSES

DEMO = Demo(train=4, tune=2, val=3, seed=5)


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.*")}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("demo")
    make_demo(DEMO, root)
    return root


def test_it_passes_its_own_check_with_the_ids_known_before(made):
    settings = Data(root=str(made), demo=DEMO, classes=CLASSES)
    checked = check_dataset(settings)
    for split, ids in split_ids(settings).items():
        assert [image.id for image in checked.index.split(split)] == ids
        assert checked.masks.ids >= set(ids)


def test_images_masks_and_labels_are_those_of_the_scenes(made):
    lines = (made / "labels.csv").read_text().splitlines()
    assert lines[0] == "image,split,labels"
    rows = [line.split(",") for line in lines[1:]]
    assert [split for _, split, _ in rows] == ["val"] * 3 + ["tune"] * 2 + ["train"] * 4
    for (name, _, labels), scene in zip(rows, make_scenes(9, DEMO.seed), strict=True):
        assert labels.split(";") == scene.objects
        np.testing.assert_array_equal(load_image(made / "images" / name), scene.image)
        np.testing.assert_array_equal(read_labels(made / "masks" / name), scene.mask)


def test_equal_settings_give_equal_files_and_leave_no_older_ones(made, tmp_path):
    make_demo(Demo(train=6, tune=2, val=3, seed=6), tmp_path)
    make_demo(DEMO, tmp_path, processes=2)
    assert files(tmp_path) == files(made)


def test_the_users_own_files_are_left_alone(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "holiday.png").write_bytes(b"mine")
    make_demo(Demo(train=1, tune=1, val=1), tmp_path)
    assert (tmp_path / "images" / "holiday.png").read_bytes() == b"mine"


def test_there_is_no_table_until_all_is_made(tmp_path, monkeypatch):
    (tmp_path / "labels.csv").write_text("of an earlier demo")
    monkeypatch.setattr(module, "encode_png", lambda mask: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_demo(Demo(train=1, tune=1, val=1), tmp_path)
    assert not (tmp_path / "labels.csv").exists()
