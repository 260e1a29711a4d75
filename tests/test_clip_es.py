"""The comparison with CLIP-ES's own code (docs/presets.md), as far as it goes without that code."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import yaml
from open_clip.model import CLIP
from PIL import Image

from benchmarks import clip_es
from benchmarks.clip_es import OTHERWISE, STORED, Apart, apart, ours, row, table
from benchmarks.clip_es_code import (
    EDITS,
    Theirs,
    code_of,
    edit,
    without_layer_scale,
    write_data,
)
from ssr.backbones.features import clip_features
from ssr.backbones.networks import load_clip
from ssr.backbones.text import TextEmbeddings
from ssr.config import Config
from ssr.errors import InputError
from tests.backbone_models import CLIP_MODEL, PATCH, tiny_clip

CLASSES = ["aeroplane", "person"]


@pytest.fixture
def layers(tmp_path: Path) -> list[Path]:
    """The configuration of a tiny CLIP with random weights."""
    values = {
        "data": {"classes": CLASSES},
        "images": {"patch": PATCH, "max_side": 16},
        "backbones": {"clip": tiny_clip(tmp_path).model_dump()},
        "features": {"clip_attention_blocks": 2},
        "segmenter_methods": [],
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(values))
    return [path]


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    path = tmp_path / "2007_000001.jpg"
    Image.fromarray(random.integers(0, 256, (20, 45, 3), np.uint8)).save(path)
    return path


def texts() -> TextEmbeddings:
    vectors = np.random.default_rng(1).normal(size=(4, CLIP_MODEL["embed_dim"]))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return TextEmbeddings(unit[:2], unit[2:], np.array(list("abcd")), np.float32(10))


def test_the_row_is_the_preset_at_full_size(layers: list[Path]) -> None:
    config = row(layers)
    assert config.images.max_side is None
    assert config.features.positions == "bilinear"
    assert not config.refinement.box_border


@pytest.mark.parametrize("name", sorted(set(OTHERWISE) - {"as the preset", STORED}))
def test_every_line_takes_one_defect_away(layers: list[Path], name: str) -> None:
    setting, _, value = name.partition(": ")
    before, after = (yaml.safe_load(settings.model_dump_json()) for settings in rows(layers, name))
    changed = dict(differences(before, after))
    assert changed == {setting: yaml.safe_load(value)}


def rows(layers: list[Path], name: str) -> tuple[Config, Config]:
    return row(layers), row(layers, OTHERWISE[name])


def differences(before: dict, after: dict) -> list[tuple[str, object]]:
    """Names and new values of the settings that differ, but for the methods that say so."""
    found: list[tuple[str, object]] = []
    for key in before.keys() - {"methods"}:
        if isinstance(before[key], dict):
            found += differences(before[key], after[key])
        elif before[key] != after[key]:
            found.append((key, after[key]))
    return found


def test_the_row_is_made_in_memory_and_by_way_of_what_is_stored(
    layers: list[Path], photograph: Path
) -> None:
    config = row(layers)
    clip = load_clip(config.backbones.clip, "cpu")
    exact, stored = (
        ours(clip, texts(), config, photograph, ["person"], half) for half in (False, True)
    )
    assert exact.cams.shape == exact.masks.shape == (1, 3, 6)
    assert exact.refined.shape == (1, 20, 45)
    assert exact.labels.shape == (20, 45)
    assert set(np.unique(exact.labels)) <= {0, 2, 255}
    assert 0 < np.abs(exact.cams - stored.cams).max() < 0.05


def test_images_are_those_of_train_with_their_classes(
    layers: list[Path], tmp_path: Path, photograph: Path
) -> None:
    for folder in ("ImageSets/Segmentation", "JPEGImages"):
        (tmp_path / folder).mkdir(parents=True)
    for name in "abc":
        shutil.copy(photograph, tmp_path / f"JPEGImages/{name}.jpg")
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("c\na\nb\n")
    (tmp_path / "labels.csv").write_text("image,labels\na,person\nb,aeroplane;person\nc,person\n")
    data = {"format": "voc", "root": str(tmp_path), "labels_file": "labels.csv"}
    splits = {"train": "train", "tune": None, "val": None}
    layers.append(tmp_path / "data.yaml")
    layers[-1].write_text(yaml.safe_dump({"data": {**data, "splits": splits}}))
    found = clip_es.photographs(row(layers), 2)
    assert found == {
        tmp_path / "JPEGImages/a.jpg": ["person"],
        tmp_path / "JPEGImages/b.jpg": CLASSES,
    }


def test_what_is_apart_is_counted(layers: list[Path], photograph: Path) -> None:
    config = row(layers)
    clip = load_clip(config.backbones.clip, "cpu")
    own = ours(clip, texts(), config, photograph, ["person"], False)
    same = Theirs([*own.cams.copy()], [*own.masks.copy()], own.refined.copy(), own.labels.copy())
    assert apart(own, same) == Apart(0, 0, 0, 0)
    same.cams[0][0, 0] += 0.25
    same.masks[0][0, :2] ^= True
    same.labels[0, :9] ^= 1
    found = apart(own, same)
    assert (found.cam, found.patches, found.pixels) == pytest.approx((0.25, 2 / 18, 9 / 900))
    own.cams[:] = 0
    assert apart(own, same).patches == 0


def test_a_line_has_the_largest_difference_of_maps_and_the_mean_of_shares() -> None:
    header, line = table({"some": [Apart(1e-6, 0.5, 0, 0.1), Apart(1e-5, 0, 2e-4, 0.3)]})
    assert header.split() == ["CAM", "patches", "refined", "labels"]
    assert line.split() == ["some", "1.0e-05", "25.000%", "2.0e-04", "20.000%"]


def test_layer_scale_is_multiplied_into_the_layer_before_it() -> None:
    vision = {**CLIP_MODEL["vision_cfg"], "ls_init_value": 0.5}
    torch.manual_seed(0)
    scaled, plain = (
        CLIP(24, each, CLIP_MODEL["text_cfg"], quick_gelu=True).eval()
        for each in (vision, CLIP_MODEL["vision_cfg"])
    )
    plain.load_state_dict(without_layer_scale(scaled))
    pixels = torch.randn(1, 3, 32, 32)
    expected = clip_features(scaled, pixels, 2).tokens
    torch.testing.assert_close(clip_features(plain, pixels, 2).tokens, expected)


def test_edits_are_found_or_the_version_is_another(tmp_path: Path) -> None:
    edits = EDITS["generate_cams_voc12.py"]
    file = tmp_path / "generate_cams_voc12.py"
    file.write_text(
        'patch_size=16\ndevice_id = "cuda:{}".format(process_id % n)\nw // 16, h //16\n'
    )
    edit(file, edits, 14)
    assert file.read_text() == 'patch_size=14\ndevice_id = "cpu"\nw // 14, h // 14\n'
    with pytest.raises(InputError, match="another version of CLIP-ES"):
        edit(file, edits, 14)
    with pytest.raises(InputError, match="no checkout of CLIP-ES"):
        edit(tmp_path / "empty" / file.name, edits, 14)


def test_a_copy_of_the_code_can_be_imported_in_the_block_alone(tmp_path: Path) -> None:
    texts = {
        "generate_cams_voc12.py": '"cuda:{}".format(0)\nside = 32 // 16\npatch_size=16\n',
        "clip/__init__.py": "",
        "clip/model.py": "side = 32 //16\n",
        "pytorch_grad_cam/activations_and_gradients.py": "side = 32 // 16\n",
        "eval_cam_with_crf.py": "import clip.model\n",
    }
    for name, text in texts.items():
        (tmp_path / "theirs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "theirs" / name).write_text(text)
    before = set(sys.modules)
    with code_of(tmp_path / "theirs", tmp_path, 8):
        assert importlib.import_module("generate_cams_voc12").side == 4
        assert importlib.import_module("eval_cam_with_crf").clip.model.side == 4
    assert set(sys.modules) == before
    assert importlib.util.find_spec("generate_cams_voc12") is None
    (tmp_path / "empty").mkdir()
    work = tmp_path / "work"
    with pytest.raises(InputError, match="no checkout"), code_of(tmp_path / "empty", work, 8):
        pass


def test_photographs_are_described_as_voc_describes_them(tmp_path: Path, photograph: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    write_data(work, {photograph: CLASSES})
    root = ElementTree.parse(work / "Annotations/2007_000001.xml").getroot()
    assert [part.text for part in root.iter("name")] == CLASSES
    assert (root.findtext("size/height"), root.findtext("size/width")) == ("20", "45")
    assert (work / "JPEGImages/2007_000001.jpg").read_bytes() == photograph.read_bytes()
