"""The model libraries come without torch's compiler, which can still be imported and used."""

import os
import subprocess
import sys

from tests import ROOT

PROGRAM = """
import sys
from ssr.backbones.features import extract
assert not {"torch._dynamo", "sympy"} & sys.modules.keys()
import torch
assert torch.compile(lambda x: 2 * x, backend="eager")(torch.ones(2)).tolist() == [2, 2]
assert "torch._dynamo.convert_frame" in sys.modules
weight = torch.ones(1, requires_grad=True)
torch.optim.AdamW([weight]).step()
"""


def test_what_reads_networks_does_not_import_the_compiler_but_what_compiles_does() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)
