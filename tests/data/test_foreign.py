"""CAMs that another system saved: every form that the page describes, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from ssr.config import Foreign
from ssr.data.findings import Findings
from ssr.data.foreign import ForeignCams, list_files
from ssr.data.index import Image
from ssr.errors import InputError
from tests.malice import Payload, assert_works

CLASSES = ("boat", "car", "dog", "cow")
HEIGHT, WIDTH = 30, 40
LABELS = (2, 4)
ALL = np.random.default_rng(0).random((5, 6, 8), dtype=np.float32)  # the background first
OWN = ALL[[2, 4]]
IMAGE = Image("a", "a.jpg", WIDTH, HEIGHT, "train", LABELS, "train_0000")


def npy(folder: Path, content: Any) -> Foreign:
    np.save(folder / "a.npy", content, allow_pickle=True)
    return Foreign(path=str(folder), format="npy")


def npz(folder: Path, content: dict[str, Any]) -> Foreign:
    np.savez_compressed(folder / "a.npz", **content)
    return Foreign(path=str(folder), format="npz")


def npz_of_all(folder: Path, content: Any) -> Foreign:
    np.savez(folder / "cams.npz", a=content, b=content)
    return Foreign(path=str(folder / "cams.npz"), format="npz")


def read(source: Foreign, image: Image = IMAGE, **changes: Any) -> np.ndarray:
    findings = Findings()
    maps = ForeignCams(source.model_copy(update=changes), CLASSES).read(image, findings)
    findings.raise_problems("x", "foreign CAMs")
    assert maps is not None
    assert maps.dtype == np.float32
    return maps


FORMS: dict[str, Callable[[Path], Foreign]] = {
    "IRN": lambda at: npy(
        at,
        {
            "keys": torch.tensor([1, 3]),
            "cam": torch.from_numpy(OWN[:, ::2, ::2]),
            "high_res": OWN,
        },
    ),
    "CLIP-ES": lambda at: npy(at, {"keys": np.array([3, 1]), "attn_highres": OWN[::-1]}),
    "keys and maps of the background, too": lambda at: npy(
        at, {"keys": np.array([0, 2, 4]), "IS_CAM": ALL[[0, 2, 4]]}
    ),
    "keys of classes, maps of the background, too": lambda at: npy(
        at, {"valid_lam": ALL[[0, 2, 4]], "keys_gt": np.array([1, 3])}
    ),
    "a dict by class": lambda at: npy(at, {3: OWN[1], 1: OWN[0]}),
    "a dict by numbers of numpy": lambda at: npy(at, {np.int64(1): OWN[0], np.int64(3): OWN[1]}),
    "maps of the labels": lambda at: npy(at, OWN),
    "maps of all classes": lambda at: npy(at, ALL[1:]),
    "maps of background and all classes": lambda at: npy(at, ALL),
    "a batch of one": lambda at: npy(at, {"msc_seg": ALL[None]}),
    "npz": lambda at: npz(at, {"keys": np.array([1, 3]), "high_res": OWN}),
    "npz of one array": lambda at: npz(at, {"anything": ALL[1:]}),
    "npz of all images": lambda at: npz_of_all(at, OWN),
    "npz of all images and all classes": lambda at: npz_of_all(at, ALL),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_a_map_for_each_label_in_their_order(tmp_path: Path, form: str) -> None:
    np.testing.assert_array_equal(read(FORMS[form](tmp_path)), OWN)


@pytest.mark.parametrize("dtype", ["f2", "f8", "u1", "i2", "?"])
def test_numbers_of_any_type_become_single_precision(tmp_path: Path, dtype: str) -> None:
    maps = (ALL[1:] * 100).astype(dtype)
    np.testing.assert_array_equal(read(npy(tmp_path, maps)), maps[[1, 3]].astype("f4"))


def test_an_entry_can_be_chosen_and_must_be_where_two_are_equally_large(tmp_path: Path) -> None:
    content = {"keys": np.array([1, 3]), "highres": OWN + 1, "attn_highres": OWN}
    np.testing.assert_array_equal(read(npy(tmp_path, content), entry="attn_highres"), OWN)
    with pytest.raises(
        InputError, match=r"holds highres and attn_highres, .*; entry must name one"
    ):
        read(npy(tmp_path, content))
    with pytest.raises(InputError, match=r"wanted cam .*, came keys \(2,\), highres \(2, 6, 8\)"):
        read(npy(tmp_path, content), entry="cam")


@pytest.mark.parametrize("background", [True, False])
def test_logits_become_probabilities_against_all_classes(tmp_path: Path, background: bool) -> None:
    logits = 9 * ALL[0 if background else 1 :]
    expected = torch.from_numpy(logits).softmax(0)[[2, 4] if background else [1, 3]]
    maps = read(npy(tmp_path, {"msc_seg": logits[None]}), logits=True)
    np.testing.assert_allclose(maps, expected, rtol=1e-5)
    with pytest.raises(InputError, match="3 maps; wanted"):
        read(npy(tmp_path, logits[:3]), logits=True)


@pytest.mark.parametrize(("dtype", "most"), [("u1", 255), ("u2", 65535)])
def test_pictures_of_each_class(tmp_path: Path, dtype: str, most: int) -> None:
    pictures = (most * OWN).astype(dtype)
    for label, picture in zip(LABELS, pictures, strict=True):
        (tmp_path / CLASSES[label - 1]).mkdir(exist_ok=True)
        Picture.fromarray(picture).save(tmp_path / CLASSES[label - 1] / "a.png")
    source = Foreign(path=str(tmp_path), format="png")
    np.testing.assert_array_equal(read(source), pictures.astype("f4"))
    (tmp_path / "dog").mkdir()
    (tmp_path / "cow/unused.png").touch()
    assert list_files(source, CLASSES, ["a", "b"]) == (tmp_path, ["car/a.png", "cow/a.png"])
    Picture.fromarray(pictures[0]).convert("RGB").save(tmp_path / "cow/a.png")
    with pytest.raises(InputError, match=r"cow/a\.png: wanted a greyscale PNG, came mode RGB"):
        read(source)


def test_the_files_of_images_are_known_without_opening_one(tmp_path: Path) -> None:
    source = Foreign(path=str(tmp_path / "cams"), format="npy")
    assert list_files(source, CLASSES, ["a", "b"]) == (tmp_path / "cams", ["a.npy", "b.npy"])
    of_all = Foreign(path=str(tmp_path / "cams.npz"), format="npz")
    assert list_files(of_all, CLASSES, ["a", "b"]) == (tmp_path, ["cams.npz"])


def sized(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"keys": np.array([0, 3]), "cam": OWN}, r"maps of classes \[0, 3\]; its labels are \[1"),
        ({"keys": np.array([1]), "cam": OWN[:1]}, r"1 maps of classes \[1\]; its labels"),
        ({"keys": np.array([1, 2, 3]), "cam": ALL[:3]}, r"3 maps of classes \[1, 2, 3\]; its"),
        ({"keys": np.array([1, 1]), "cam": OWN}, r"2 maps of classes \[1, 1\]; its"),
        ({"keys": np.array([1, 3]), "cam": ALL}, r"5 maps of classes \[1, 3\]; its"),
        ({1: OWN[0]}, r"1 maps of classes \[1\]; its"),
        ({1: OWN[0], 3: OWN[1, 1:]}, r"wanted maps \(h, w\) of one size, came"),
        (ALL[:3], "3 maps; wanted 2, of its labels, or 4 or 5, of all classes"),
        (OWN[0], r"wanted arrays \(n, h, w\), came a \(6, 8\)"),
        ({}, r"wanted arrays \(n, h, w\), came nothing"),
        (sized(2, 0, 8), r"wanted maps of numbers, came float64 of shape \(2, 0, 8\)"),
        (OWN.astype("c8"), "wanted maps of numbers, came complex64"),
        (np.where(OWN > 0.5, np.nan, OWN), "1 × file with values that are no finite numbers: a"),
        (np.full_like(OWN, np.inf), "1 × file with values that are no finite numbers: a"),
        (sized(2, 40, 30), r"1 × map that lies on its side: a \(40×30 of 30×40\)"),
        ({"keys": Payload(Path("trace")), "cam": OWN}, "the pickle names posix.mkdir, which is"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    tmp_path: Path, content: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        read(npy(tmp_path, content))
    assert str(error.value).startswith("the foreign CAMs x cannot be used:\n  1 × ")
    assert str(error.value).count("\n") == 1


@pytest.mark.parametrize("shape", [(3, 4), (4, 4), (30, 40), (5, 5), (60, 60)])
def test_squares_and_coarse_maps_do_not_lie_on_their_side(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    assert read(npy(tmp_path, sized(2, *shape))).shape == (2, *shape)


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    assert_works(trace)
    for source in (npy(tmp_path, Payload(trace)), npz(tmp_path, {"a": np.array([Payload(trace)])})):
        with pytest.raises(InputError):
            read(source)
    assert not trace.exists()


@pytest.mark.parametrize("form", ["npy", "npz"])
def test_a_damaged_or_missing_file_is_named(tmp_path: Path, form: str) -> None:
    source = {"npy": npy, "npz": npz}[form](tmp_path, {"maps": OWN})
    file = tmp_path / f"a.{form}"
    content = file.read_bytes()
    for cut in (0, 4, 90, len(content) // 2):
        file.write_bytes(content[:cut])
        with pytest.raises(InputError, match=re.escape(f"a.{form}")):
            read(source)
    file.unlink()
    with pytest.raises(InputError, match=rf"1 × image without its file: a\.{form}"):
        read(source)


def test_an_image_that_the_archive_of_all_lacks_is_named(tmp_path: Path) -> None:
    source = npz_of_all(tmp_path, OWN)
    other = Image("c", "c.jpg", WIDTH, HEIGHT, "train", LABELS, "train_0000")
    with pytest.raises(InputError, match="1 × image without its file: c"):
        read(source, other)
    with pytest.raises(InputError, match=r"other\.npz: no such file"):
        read(source, path=str(tmp_path / "other.npz"))


def test_a_map_of_one_value_is_a_warning(tmp_path: Path) -> None:
    findings = Findings()
    ForeignCams(npy(tmp_path, OWN * [[[0]], [[1]]]), CLASSES).read(IMAGE, findings)
    assert findings.warnings == ["1 × image with a map of one value everywhere: a"]
