"""Trainings and model libraries come without torch's compiler, which can still be used."""

import os
import subprocess
import sys

from tests import ROOT

TRAINS = """
import sys
import torch
from ssr.running.compiler import without_compiler
with without_compiler():
    optimiser = torch.optim.AdamW([torch.ones(1, requires_grad=True)])
    optimiser.zero_grad()
    optimiser.step()
    optimiser.load_state_dict(optimiser.state_dict())
"""
READS = """
import sys
from ssr.backbones.features import extract
import torch
"""
COMPILES = """
assert not {"torch._dynamo", "sympy"} & sys.modules.keys()
assert torch.compile(lambda x: 2 * x, backend="eager")(torch.ones(2)).tolist() == [2, 2]
assert "torch._dynamo.convert_frame" in sys.modules
torch.optim.AdamW([torch.ones(1, requires_grad=True)]).step()
"""
BLOCK = """
import sys
from ssr.backbones.last_block import load_last_block
from ssr.config import Backbone
load_last_block(
    Backbone(model="backbones/demo_clip.json", weights="backbones/demo_clip.safetensors"), "cpu"
)
assert not {"torch._dynamo", "sympy"} & sys.modules.keys()
"""
SEGMENTER = """
import sys
import ssr.segmenter.mmseg_import
assert "torch._dynamo" not in sys.modules
"""


def _runs(program: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, check=True)


def test_what_trains_does_not_import_the_compiler_and_can_compile_afterwards() -> None:
    _runs(TRAINS + COMPILES)


def test_what_reads_networks_does_not_import_the_compiler_but_what_compiles_does() -> None:
    _runs(READS + COMPILES)


def test_clips_last_block_is_built_without_the_compilers_algebra() -> None:
    _runs(BLOCK)


def test_mmsegmentation_is_imported_without_the_compiler() -> None:
    _runs(SEGMENTER)
