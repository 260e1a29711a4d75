"""What was seen in files is known again where these are the same, and nowhere else."""

import errno
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssr.data import inspection
from ssr.data.check import check_dataset, check_masks
from ssr.data.masks import Masks
from ssr.data.sightings import Sightings
from ssr.errors import InputError
from ssr.running.contents import Content, contents_of

HERE = {"a.png": (100, 1, 7), "b.png": (100, 1, 8), "/made/x.zip": (900, 1, 9)}


def with_checksum(line: str) -> str:
    return f'["code", {zlib.crc32(line.encode())}]\n{line}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sightings.json"


def seen(path: Path, code: str = "code", contents: dict[str, Content] | None = None) -> Sightings:
    """What another run knows at its start."""
    with Sightings.kept(path, code, HERE if contents is None else contents) as known:
        return known


@pytest.fixture
def filled(path: Path) -> Path:
    with Sightings.kept(path, "code", HERE) as known:
        known.keep("image", "a.png", (6, 8))
        known.keep("mask", "a.png", (6, 8, 0, 1))
        known.keep("mask", "/made/x.zip!c.png", (3, 3, 255))
        known.keep("image", "elsewhere.png", (1, 1))
    return path


def test_numbers_are_known_again_by_kind_and_member(filled: Path) -> None:
    known = seen(filled)
    assert known.recall("image", "a.png") == (6, 8)
    assert known.recall("mask", "a.png") == (6, 8, 0, 1)
    assert known.recall("mask", "/made/x.zip!c.png") == (3, 3, 255)
    assert known.recall("mask", "/made/x.zip!d.png") is None
    assert known.recall("image", "b.png") is None
    assert known.recall("image", "elsewhere.png") is None


@pytest.mark.parametrize("other", [(101, 1, 7), (100, 2, 7), (100, 1, 8)])
def test_a_file_of_another_size_date_or_checksum_is_not_known(
    filled: Path, other: tuple[int, int, int]
) -> None:
    assert seen(filled, contents={"a.png": other}).recall("image", "a.png") is None


def test_a_file_of_another_name_is_not_known(filled: Path) -> None:
    """Of small PNGs of one size, many thousands have the checksum of another."""
    assert seen(filled, contents={"b.png": HERE["a.png"]}).recall("image", "b.png") is None


def test_other_code_knows_nothing(filled: Path) -> None:
    assert seen(filled, "other code").recall("image", "a.png") is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("6,8", "9,8", 1),
        lambda text: text[:-3],
        lambda _: "",
        lambda _: "{}",
        lambda _: "[\n[",
        lambda _: "[" * 200_000,
        lambda _: with_checksum('["image",1]'),
        lambda _: with_checksum("3"),
        lambda _: with_checksum("{}"),
    ],
)
def test_of_a_damaged_file_nothing_is_known(filled: Path, spoil: Callable[[str], str]) -> None:
    filled.write_text(spoil(filled.read_text()))
    assert seen(filled).recall("image", "a.png") is None


def test_after_an_error_what_was_seen_is_kept_beside_the_rest(filled: Path) -> None:
    def fail() -> None:
        with Sightings.kept(filled, "code", HERE, whole=True) as known:
            known.keep("image", "b.png", (2, 2))
            raise InputError("bad")

    with pytest.raises(InputError):
        fail()
    assert seen(filled).recall("image", "b.png") == (2, 2)
    assert seen(filled).recall("image", "a.png") == (6, 8)


def test_of_a_whole_data_set_what_is_gone_is_left_out(filled: Path) -> None:
    with Sightings.kept(filled, "code", HERE, whole=True) as known:
        known.recall("mask", "a.png")
    assert seen(filled).recall("mask", "a.png") == (6, 8, 0, 1)
    assert seen(filled).recall("image", "a.png") is None


def test_where_nothing_can_be_written_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with Sightings.kept(tmp_path / "sightings.json", "code", HERE) as known:
        known.keep("image", "a.png", (6, 8))
    assert not [*tmp_path.iterdir()]


def contents(root: Path) -> dict[str, Content]:
    names = [f"{path.parent.name}/{path.name}" for path in root.glob("*/*")]
    return contents_of(root, names, 1)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the images and masks that are decoded."""
    names: list[str] = []
    measure, load = inspection.measure_image, Masks.load

    def measured(image: Path) -> object:
        names.append(image.name)
        return measure(image)

    def loaded(self: Masks, image_id: str) -> np.ndarray:
        names.append(self.references[image_id])
        return load(self, image_id)

    monkeypatch.setattr(inspection, "measure_image", measured)
    monkeypatch.setattr(Masks, "load", loaded)
    return names


def test_each_file_is_decoded_once_in_both_programs_and_the_next_run(
    folder, path: Path, decoded: list[str]
) -> None:
    settings, results = folder.settings(), []
    for _ in range(2):
        with Sightings.kept(path, "", contents(folder.root), whole=True) as known:
            index = check_dataset(settings, known=known).index
        with Sightings.kept(path, "", contents(folder.root)) as known:
            checked = check_masks(settings, index, known=known)
        results.append((index.images, checked.masks, checked.warnings))
    assert results[0] == results[1]
    assert len(decoded) == len(set(decoded)) == 5 + 4  # images, masks


def test_what_is_replaced_is_decoded_and_held_against_the_rest(
    folder, path: Path, decoded: list[str]
) -> None:
    with Sightings.kept(path, "", contents(folder.root)) as known:
        check_dataset(folder.settings(), known=known)
    decoded.clear()
    Image.new("RGB", (20, 10)).save(folder.root / "images" / "v.png")
    with (
        pytest.raises(InputError, match="mask of another size than its image"),
        Sightings.kept(path, "", contents(folder.root)) as known,
    ):
        check_dataset(folder.settings(), known=known)
    assert decoded == ["v.png"]


def test_what_is_doubtful_is_told_each_time(folder, path: Path) -> None:
    Image.new("RGB", (8, 6)).save(folder.root / "images" / "v.png")  # black
    for _ in range(2):
        with Sightings.kept(path, "", contents(folder.root)) as known:
            warnings = check_dataset(folder.settings(), known=known).warnings
        assert any("nearly black" in warning for warning in warnings)


def test_what_is_looked_at_is_counted(folder, capsys: pytest.CaptureFixture[str]) -> None:
    check_dataset(folder.settings())
    printed = capsys.readouterr().err
    assert "checking images: 5 in" in printed
    assert "checking masks: 4 in" in printed
