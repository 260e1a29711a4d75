"""encode_text: the program on a tiny CLIP."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ssr.backbones.text import TextEmbeddings
from ssr.config import DEFAULT_BACKGROUNDS, Text
from tests.backbone_models import tiny_clip

Run = Callable[..., None]


def encode(run_program: Run, folder: Path, text: Text, weights: str = "random") -> TextEmbeddings:
    settings = ["--backbone", tiny_clip(folder, weights).canonical(), "--text", text.canonical()]
    output = folder / "text" / "embeddings.npz"
    run_program("encode_text", *settings, "--classes", "cat", "dog", "--output", output)
    return TextEmbeddings.read(output)


def test_classes_come_first(run_program: Run, tmp_path: Path) -> None:
    embeddings = encode(run_program, tmp_path, Text(backgrounds=("sky", "sea", "wall")))
    assert embeddings.classes.shape == (2, 24)
    assert embeddings.backgrounds.shape == (3, 24)
    assert embeddings.names.tolist() == ["cat", "dog", "sky", "sea", "wall"]


def test_missing_backgrounds_are_replaced(run_program: Run, tmp_path: Path) -> None:
    embeddings = encode(run_program, tmp_path, Text(backgrounds=()))
    assert embeddings.names[2:].tolist() == list(DEFAULT_BACKGROUNDS)


def test_bad_weights_end_in_one_line_and_no_output(run_program: Run, tmp_path: Path) -> None:
    broken = tmp_path / "clip.safetensors"
    broken.write_bytes(b"broken")
    with pytest.raises(SystemExit, match=r"^error: weights .*clip\.safetensors: not a complete"):
        encode(run_program, tmp_path, Text(), str(broken))
    assert not (tmp_path / "text").exists()
