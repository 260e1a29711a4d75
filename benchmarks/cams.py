"""Ways to reach the same CAM, and what each costs on this machine.

`python -m benchmarks.cams [--width 768 --patches 768 --threads 1]` prints milliseconds of processor
time per image and the ratio to the pipeline's way. All ways are checked to agree first.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from ssr.backbones.blocks import through_block
from ssr.cams.activation import Score, _log_odds, clip_score, gradient_cam
from ssr.cams.affinity import Matrix, propagate, symmetric_affinity

BACKGROUNDS = 25
TOLERANCE = {"rtol": 1e-3, "atol": 1e-4}


def forward_per_class(clip: CLIP, residual: Tensor, score: Score, count: int) -> Tensor:
    """One forward and one gradient for each class, as CLIP-ES does."""
    rows = [_maps(clip, residual[None], score, count, [index]) for index in range(count)]
    return torch.cat(rows)


def by_torch(clip: CLIP, residual: Tensor, score: Score, count: int) -> Tensor:
    """One forward, and a gradient for each class that torch finds by itself."""
    activation, odds = _forward(clip, residual[None], score, count)
    gradients = [torch.autograd.grad(each, activation, retain_graph=True)[0] for each in odds[0]]
    return torch.cat([_weighted(each, activation) for each in gradients])


def replicated(clip: CLIP, residual: Tensor, score: Score, count: int) -> Tensor:
    """The image once per class in one batch, one gradient."""
    return _maps(clip, residual.expand(count, -1, -1), score, count, list(range(count)))


def batched_gradients(clip: CLIP, residual: Tensor, score: Score, count: int) -> Tensor:
    """One forward, all gradients at once (`is_grads_batched`, which needs the plain attention)."""
    with sdpa_kernel(SDPBackend.MATH):
        activation, odds = _forward(clip, residual[None], score, count)
        every = torch.eye(count)
        gradient = torch.autograd.grad(odds[0], activation, every, is_grads_batched=True)[0]
    return _weighted(gradient[:, 0], activation.expand(count, -1, -1))


def _maps(clip: CLIP, entering: Tensor, score: Score, count: int, classes: list[int]) -> Tensor:
    activation, odds = _forward(clip, entering, score, count)
    chosen = odds[torch.arange(len(classes)), classes]
    return _weighted(torch.autograd.grad(chosen.sum(), activation)[0], activation)


def _forward(clip: CLIP, entering: Tensor, score: Score, count: int) -> tuple[Tensor, Tensor]:
    block, caught = clip.visual.transformer.resblocks[-1], []

    def catch(_: object, __: object, activation: Tensor) -> Tensor:
        caught.append(activation.detach().requires_grad_())
        return caught[-1]

    with block.ln_1.register_forward_hook(catch):
        tokens = clip.visual.ln_post(through_block(block, entering))[:, 1:] @ clip.visual.proj
    return caught[0], _log_odds(score(tokens), count)


def _weighted(gradient: Tensor, activation: Tensor) -> Tensor:
    weights = gradient[:, 1:].mean(1, keepdim=True)
    return (weights * activation.detach()[:, 1:]).sum(-1).relu()


def matrix_power(affinity: Matrix, values: Matrix) -> Matrix:
    """The square of the affinity, then its product with the maps."""
    return affinity @ affinity @ values


def milliseconds(call: Callable[[], Tensor | Matrix], seconds: float) -> float:
    """Processor time of the fastest of as many calls as fit, at least three."""
    times: list[float] = []
    while len(times) < 3 or sum(times) < seconds:
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def compare(title: str, ways: dict[str, Callable[[], Tensor | Matrix]], seconds: float) -> None:
    """Print each way; the first is the pipeline's."""
    expected = next(iter(ways.values()))()
    ours = 0.0
    for name, call in ways.items():
        torch.testing.assert_close(torch.as_tensor(call()), torch.as_tensor(expected), **TOLERANCE)
        spent = milliseconds(call, seconds)
        ours = ours or spent
        print(f"{title:32s} {name:24s} {spent:9.1f} ms  x{spent / ours:.2f}", flush=True)


def compare_gradients(width: int, patches: int, seconds: float) -> None:
    """Grad-CAM of images with 1, 2 and 4 classes."""
    clip = _clip(width)
    residual, joint = torch.randn(patches + 1, width), clip.visual.output_dim
    for count in (1, 2, 4):
        score = clip_score(F.normalize(torch.randn(count + BACKGROUNDS, joint), dim=-1), 10.0)
        ways = (gradient_cam, by_torch, forward_per_class, replicated, batched_gradients)
        calls = {way.__name__: partial(way, clip, residual, score, count) for way in ways}
        compare(f"width {width}, {patches} patches, {count} classes", calls, seconds)


def compare_propagation(patches: int, seconds: float) -> None:
    """Two steps of the affinity for two classes."""
    affinity = symmetric_affinity(torch.rand(patches, patches).numpy(), 3)
    values = torch.rand(patches, 2).numpy()
    calls = {
        "propagate": partial(propagate, affinity, values, 2),
        "matrix_power": partial(matrix_power, affinity, values),
    }
    compare(f"affinity, {patches} patches", calls, seconds)


def _clip(width: int) -> CLIP:
    vision = CLIPVisionCfg(layers=1, width=width, head_width=width // 12, patch_size=16)
    text = CLIPTextCfg(vocab_size=8, width=16, heads=1, layers=1)
    return CLIP(512, vision, text, quick_gelu=True).eval().requires_grad_(False)


if __name__ == "__main__":
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--width", type=int, default=768, help="of the tokens; a multiple of 12")
    flags.add_argument("--patches", type=int, default=768)
    flags.add_argument("--threads", type=int, default=1)
    flags.add_argument("--seconds", type=float, default=2.0, help="per way")
    chosen = flags.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    compare_gradients(chosen.width, chosen.patches, chosen.seconds)
    compare_propagation(chosen.patches, chosen.seconds)
