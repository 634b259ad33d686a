"""The CUDA kernels of the time-varying cascade: right when interpreted, and accepted by the compiler."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("triton")

INTERPRETED = """
import torch
from fxkit_signal.gpu import cascade

cascade.TILE, cascade.CHAIN = 32, 4


def by_samples(audio, sos, state, hop, offset):
    sos = sos.expand(audio.shape[0], -1, -1, -1)
    states = [list(section.unbind(-1)) for section in state.unbind(2)]
    out = []
    for n in range(audio.shape[-1]):
        frame, share = divmod(offset + n, hop)
        here = sos[:, frame] if share == 0 else torch.lerp(sos[:, frame], sos[:, frame + 1], share / hop)
        y = audio[:, :, n]
        for k, (s1, s2) in enumerate(states):
            b0, b1, b2, _, a1, a2 = here[:, k, :, None].unbind(1)
            x, y = y, b0 * y + s1
            states[k] = [b1 * x - a1 * y + s2, b2 * x - a2 * y]
        out.append(y)
    return torch.stack(out, -1), torch.stack([torch.stack(pair, -1) for pair in states], 2)


def worst(groups, hop, offset, samples):
    draw = torch.Generator().manual_seed(samples)
    frames = samples if hop == 1 else (offset + samples - 1) // hop + 2
    sos = 0.3 * torch.randn(groups, frames, 2, 6, dtype=torch.float64, generator=draw)
    audio = torch.randn(2, 2, samples, dtype=torch.float64, generator=draw)
    state = torch.randn(2, 2, 2, 2, dtype=torch.float64, generator=draw)
    found = []
    for run in (by_samples, cascade.run_cascade):
        leaves = [leaf.clone().requires_grad_() for leaf in (audio, sos, state)]
        y, end = run(*leaves, hop, offset)
        goal = y.sin().sum() + (end * torch.arange(16.0).view(end.shape)).sum()
        found.append([y, end, *torch.autograd.grad(goal, leaves)])
    found[1][3][..., 3] = found[0][3][..., 3]
    return max(float((a - b).detach().abs().max()) for a, b in zip(*found))


errors = [worst(2, 1, 0, 70), worst(1, 16, 5, 137)]
assert max(errors) < 1e-12, errors
"""

COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from fxkit_signal.gpu import second_order as kernels

CONSTANTS = {"HOP": 64, "BACKWARD": True, "TILE": kernels.TILE, "CHAIN": kernels.CHAIN, "LINKS": 2}
TYPES = {"x": "*fp32", "y": "*fp32", "g": "*fp32", "gx": "*fp32", "signal": "*fp32"}
DOUBLES = {"sos", "maps", "states", "gsos"}
for name in ("compose_tiles", "chain_tiles", "filter_tiles", "adjoint_tiles"):
    kernel = getattr(kernels, name)
    types = {
        arg: "constexpr" if arg in CONSTANTS else TYPES.get(arg, "*fp64" if arg in DOUBLES else "i32")
        for arg in kernel.arg_names
    }
    fixed = {(kernel.arg_names.index(arg),): CONSTANTS[arg] for arg in types if arg in CONSTANTS}
    built = triton.compile(ASTSource(kernel, types, fixed), target=GPUTarget("cuda", 80, 32))
    assert built.asm["cubin"], name
"""


@pytest.mark.slow
def test_kernels_equal_a_recursion_over_samples_in_value_and_every_gradient():
    _run(INTERPRETED, {"TRITON_INTERPRET": "1"})


@pytest.mark.slow
def test_kernels_compile_for_a_device_that_is_not_there(tmp_path):
    _run(COMPILED, {"TRITON_CACHE_DIR": str(tmp_path)})


def _run(script: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
