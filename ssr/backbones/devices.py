"""On which device a program computes."""

import os
import sys
from functools import cache

import torch

from ssr.backbones.products import faster_products
from ssr.errors import InputError

# What they return must live as long as the process.
_multiply_faster = cache(faster_products)


def choose_device(name: str) -> torch.device:
    """The device of a `--device` flag: auto takes CUDA where there is one.

    It says so where a scheduler has given a GPU (CUDA_VISIBLE_DEVICES) that can't be used. float32
    is float32 there: TF32, which torch allows to convolutions, is not used. On a processor products
    are `faster_products` from now on.

    Raises:
        InputError: cuda is asked for and not there, or it is no such name.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"device: allowed are auto, cpu, cuda; came {name}")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise InputError("--device cuda: torch finds no CUDA device; allowed here: auto, cpu")
    if name == "auto" and not available and (given := os.environ.get("CUDA_VISIBLE_DEVICES")):
        print(
            f"warning: GPU {given} was given to this job, but torch finds no CUDA device: "
            "this runs on the CPU",
            file=sys.stderr,
        )
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    if available and name != "cpu":
        return torch.device("cuda")
    _multiply_faster()
    return torch.device("cpu")
