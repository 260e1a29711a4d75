"""What CMPA has trained, heads or CLIP's last block: files of it, and how rounds hand it on."""

from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch

from ssr.alignment.aligner import Aligner
from ssr.alignment.heads import HeadOptions, new_heads, starting_heads
from ssr.alignment.trained import load_aligner, save_aligner, starting_aligner
from ssr.alignment.tuned_block import TunedBlock
from ssr.config import Alignment
from ssr.errors import InputError
from tests.alignment.toy import DIMENSION, clip_block, drawn, samples, stored_tokens, texts

TEXTS = torch.from_numpy(texts())


def heads() -> Aligner:
    options = HeadOptions(DIMENSION, layers=2, width=12, residual=False)
    return randomised(new_heads(options, drawn(30, DIMENSION), TEXTS, seed=2))


def block() -> Aligner:
    return randomised(TunedBlock.of(clip_block(), 0.1))


def randomised(aligner: Aligner) -> Aligner:
    with torch.no_grad():
        for number, parameter in enumerate(aligner.parameters()):
            parameter.copy_(drawn(*parameter.shape, seed=number) / 4)
    return aligner


@torch.no_grad()
def aligned(aligner: Aligner) -> torch.Tensor:
    entering = stored_tokens("a") if isinstance(aligner, TunedBlock) else drawn(6, DIMENSION)
    return torch.cat([*aligner.patches([entering]), aligner.text(TEXTS)])


BOTH = pytest.mark.parametrize("make", [heads, block])


@BOTH
def test_what_was_saved_comes_back_frozen_with_its_metadata(tmp_path: Path, make) -> None:
    made = make()
    save_aligner(tmp_path / "1.safetensors", made, {"iterations": 5})
    loaded, metadata = load_aligner(tmp_path / "1.safetensors")
    assert metadata["iterations"] == 5
    assert vars(loaded.options) == vars(made.options)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert torch.equal(aligned(loaded), aligned(made))
    assert torch.equal(loaded.sharpening, made.sharpening)


@BOTH
def test_equal_aligners_make_equal_files(tmp_path: Path, make) -> None:
    for name in ("one", "two"):
        save_aligner(tmp_path / name, make(), {"b": 1, "a": 2})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "1.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"1.safetensors: expected what align_p.* delete it"):
        load_aligner(path)


def unused() -> NoReturn:
    raise AssertionError("the last block is read where it is not trained")


def test_new_heads_leave_the_last_block_unread() -> None:
    settings = Alignment(width=12)
    made, done = starting_aligner(None, settings, samples(), TEXTS, 3, unused)
    assert done == 0
    expected = starting_heads(settings, samples(), TEXTS, 3)
    assert torch.equal(aligned(made), aligned(expected))


def test_a_new_block_is_that_of_clip_whatever_the_seed() -> None:
    settings = Alignment(trains="last_block", temperature=0.1)
    made, done = starting_aligner(None, settings, samples(), TEXTS, 3, clip_block)
    assert done == 0
    assert torch.equal(aligned(made), aligned(TunedBlock.of(clip_block(), 0.1)))
    assert made.temperature.item() == pytest.approx(0.1)


@BOTH
def test_a_round_starts_with_what_the_round_before_has_trained(tmp_path: Path, make) -> None:
    save_aligner(tmp_path / "1.safetensors", make(), {"iterations": 7})
    previous, found = tmp_path / "1.safetensors", samples()
    second, done = starting_aligner(previous, Alignment(), found, TEXTS, 3, unused)
    assert done == 7
    assert torch.equal(aligned(second), aligned(make()))


def test_only_what_is_trained_is_in_the_file(tmp_path: Path) -> None:
    """Tau and the block, none of the other blocks of the CLIP; the weights that CLIP has."""
    names = block().state_dict()
    assert {name.split(".")[0] for name in names} == {"log_temperature", "block"}
    assert not np.any([name.startswith("block.visual.transformer.resblocks.1") for name in names])
