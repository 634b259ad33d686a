"""A diagonal state-space system of many inputs and outputs, run exactly, a stretch of time after the other.

s[n] = p s[n - 1] + B x[n] and y[n] = Re(C s[n]), with all channels driving all complex modes: the linear
recurrent unit (Orvieto et al., "Resurrecting recurrent neural networks for long sequences", 2023, section 3)
and S5 (Smith, Warrington and Linderman, 2023) once discretised. States exist for one stretch at a time, in
the processor's cache; the way back makes them again from the state at its start.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.diagonal_scan import scan, scan_back

# Samples of all items together whose states fit into the cache; an accelerator wants long ones.
STRETCH, LONG_STRETCH = 8192, 1 << 18


def diagonal_system(
    audio: Tensor, log_pole: Tensor, into: Tensor, out: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Run the system over audio; return output and end state.

    `audio` [batch, inputs, samples]; `log_pole` complex128 [modes]: p = exp(log_pole); `into` complex
    [modes, inputs] is B and `out` complex [outputs, modes] C; `state` float64 [batch, 2 modes], real parts
    before imaginary ones, None for zeros. Differentiable once with respect to everything. Any split into
    blocks gives the same output.
    """
    pole = log_pole.exp()
    poles = torch.cat([pole.real, pole.imag])[None]
    if state is None:
        state = poles.new_zeros(len(audio), poles.shape[1])
    if not audio.shape[-1]:
        return audio.new_empty(len(audio), len(out), 0), state
    drives = torch.cat([into.real, into.imag]).to(audio.dtype)
    reads = torch.cat([out.real, -out.imag], dim=1).to(audio.dtype)
    with torch.autocast(audio.device.type, enabled=False):
        output, end = _Stretches.apply(audio, poles, drives, reads, state)  # type: ignore[no-untyped-call]
    return output, end


def settled(log_pole: Tensor, into: Tensor, level: Tensor) -> Tensor:
    """Return the state float64 [batch, 2 modes] after a `level` [batch, inputs] for ever.

    Every pole must lie inside the unit circle.
    """
    state = (level.to(into.dtype) @ into.mT) / (1 - log_pole.exp())
    return torch.cat([state.real, state.imag], dim=-1)


class _Stretches(torch.autograd.Function):
    """Run [batch, inputs, samples] in stretches; poles are [1, 2 modes], all matrices real."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, pole: Tensor, drives: Tensor, reads: Tensor, start: Tensor
    ) -> tuple[Tensor, Tensor]:
        output, state, starts = x.new_empty(len(x), len(reads), x.shape[-1]), start, [start]
        for first, stop in _stretches(x):
            states, state = scan(x[..., first:stop].mT @ drives.mT, pole, state, late=False)
            output[..., first:stop] = reads @ states.mT
            starts.append(state)
        ctx.save_for_backward(x, pole, drives, reads, torch.stack(starts[:-1]))
        return output, state.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_state: Tensor) -> tuple[Tensor, ...]:
        x, pole, drives, reads, starts = ctx.saved_tensors
        grad_x, totals = torch.empty_like(x), [torch.zeros_like(t) for t in (pole, drives, reads)]
        for (first, stop), start in reversed(list(zip(_stretches(x), starts, strict=True))):
            piece, grad = x[..., first:stop], grad_y[..., first:stop]
            states, _ = scan(piece.mT @ drives.mT, pole, start, late=False)
            totals[2] += (grad @ states).sum(0)
            before = torch.cat([start[:, None].to(states.dtype), states[:, :-1]], dim=1)
            adjoint, grad_state, grad_pole = scan_back(grad.mT @ reads, pole, grad_state, before, late=False)
            grad_x[..., first:stop] = drives.mT @ adjoint.mT
            totals[0] += grad_pole
            totals[1] += (piece @ adjoint).sum(0).mT
        return grad_x, *totals, grad_state


def _stretches(x: Tensor) -> list[tuple[int, int]]:
    """Return the ends of the stretches."""
    longest = (STRETCH if x.is_cpu else LONG_STRETCH) // len(x)
    length, samples = max(longest, 64), x.shape[-1]
    return [(first, min(first + length, samples)) for first in range(0, samples, length)]
