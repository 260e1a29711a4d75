"""Images and labels become labels.csv, with links to what lies elsewhere."""

from pathlib import Path

import pytest

from ssr.errors import InputError
from ssr.init.labelled import ImageFiles, Labelled, write_table
from tests.init.conftest import photographs


def test_a_file_is_found_by_its_name_with_or_without_folders_and_suffix(folder: Path) -> None:
    photographs(folder, ["images/a.jpg", "images/deep/b.png"])
    files = ImageFiles(folder)
    assert files.find("a.jpg") == files.find("a") == files.find("images/a.jpg") == "images/a.jpg"
    assert files.find("b.png") == files.find("deep/b") == "images/deep/b.png"
    assert files.find("other/b.png") is files.find("c.jpg") is None


def test_masks_and_links_to_images_are_no_images(folder: Path) -> None:
    photographs(folder, ["data/a.png", "masks/a.png"])
    (folder / "images").mkdir()
    (folder / "images/a.png").symlink_to("../data/a.png")
    assert ImageFiles(folder).find("a.png") == "data/a.png"


def test_a_name_that_two_files_have_is_refused(folder: Path) -> None:
    photographs(folder, ["one/a.jpg", "two/a.jpg"])
    with pytest.raises(InputError, match=r"a.jpg may be any of one/a.jpg, two/a.jpg"):
        ImageFiles(folder).find("a.jpg")


def test_links_are_named_after_folders_only_where_names_would_be_alike(folder: Path) -> None:
    files = ["cat/1.jpg", "dog/1.jpg", "dog/2.jpg", "images/3.jpg"]
    photographs(folder, files)
    write_table(folder, [Labelled(file, (file[:3],)) for file in files])
    links = {path.name: path.readlink() for path in folder.glob("images/*") if path.is_symlink()}
    assert {name: str(link) for name, link in links.items()} == {
        "cat_1.jpg": "../cat/1.jpg",
        "dog_1.jpg": "../dog/1.jpg",
        "2.jpg": "../dog/2.jpg",
    }
    assert (folder / "labels.csv").read_text() == (
        "image,labels\ncat_1.jpg,cat\ndog_1.jpg,dog\n2.jpg,dog\n3.jpg,ima\n"
    )


def test_links_that_are_there_stay_and_nothing_takes_the_place_of_another_file(
    folder: Path,
) -> None:
    photographs(folder, ["cat/1.jpg", "dog/2.jpg"])
    images = [Labelled("cat/1.jpg", ("cat",)), Labelled("dog/2.jpg", ("dog",))]
    assert write_table(folder, images) == write_table(folder, images)
    (folder / "images/2.jpg").unlink()
    (folder / "images/2.jpg").write_text("mine")
    with pytest.raises(InputError, match=r"images/2.jpg: is there already"):
        write_table(folder, images)
    assert (folder / "images/2.jpg").read_text() == "mine"


def test_a_label_with_a_semicolon_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no semicolon.*came \['cat;dog'\]"):
        write_table(folder, [Labelled("images/a.jpg", ("cat;dog",))])
