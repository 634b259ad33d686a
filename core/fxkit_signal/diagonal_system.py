"""A diagonal state-space system of many inputs and outputs, run exactly, a stretch of time after the other.

s[n] = p s[n - 1] + B x[n] and y[n] = Re(C s[n]), with all channels driving all complex modes: the linear
recurrent unit (Orvieto et al., "Resurrecting recurrent neural networks for long sequences", 2023, section 3)
and S5 (Smith, Warrington and Linderman, 2023) once discretised. States exist for one stretch at a time, in
the processor's cache; the way back makes them again from the state at its start.
"""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.diagonal_scan import scan, scan_back

# Samples of all items together whose states fit into the cache; an accelerator wants long ones.
STRETCH, LONG_STRETCH = 8192, 1 << 18


@attrs.frozen(kw_only=True, eq=False)
class Coupled:
    """Hold a system in real numbers.

    `pole` float64 [1, 2 modes], real parts before imaginary ones as in states; `drive` [2 modes, inputs] and
    `read` [outputs, 2 modes] in the type of the audio.
    """

    pole: Tensor
    drive: Tensor
    read: Tensor


def couple(log_pole: Tensor, into: Tensor, out: Tensor, dtype: torch.dtype = torch.float32) -> Coupled:
    """Lay a system out in real numbers; differentiable with respect to all three.

    `log_pole` complex128 [modes]: p = exp(log_pole); `into` complex [modes, inputs] is B and `out` complex
    [outputs, modes] C. `dtype` is that of the audio.
    """
    pole = log_pole.exp()
    return Coupled(
        pole=torch.cat([pole.real, pole.imag])[None],
        drive=torch.cat([into.real, into.imag]).to(dtype),
        read=torch.cat([out.real, -out.imag], dim=1).to(dtype),
    )


def diagonal_system(audio: Tensor, system: Coupled, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Run the system over audio; return output and end state.

    `audio` [batch, inputs, samples] in the type that `system` was made for; `state` float64 [batch, 2 modes],
    None for zeros. Differentiable once with respect to audio, state and what `system` came from. Any split
    into blocks gives the same output.
    """
    if state is None:
        state = system.pole.new_zeros(len(audio), system.pole.shape[1])
    tensors = audio, system.pole, system.drive, system.read, state
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        output, end = _Stretches.apply(*tensors)  # type: ignore[no-untyped-call]
    else:
        output, end, _ = _run(*tensors)
    return output, end


def settled(log_pole: Tensor, into: Tensor, level: Tensor) -> Tensor:
    """Return the state float64 [batch, 2 modes] after a `level` [batch, inputs] for ever.

    Every pole must lie inside the unit circle.
    """
    state = (level.to(into.dtype) @ into.mT) / (1 - log_pole.exp())
    return torch.cat([state.real, state.imag], dim=-1)


def _run(
    x: Tensor, pole: Tensor, drive: Tensor, read: Tensor, state: Tensor
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run stretch by stretch; return output, end state, and the states at the starts."""
    output, starts = x.new_empty(len(x), len(read), x.shape[-1]), []
    with torch.autocast(x.device.type, enabled=False):
        for first, stop in _stretches(x):
            starts.append(state)
            states, state = scan(x[..., first:stop].mT @ drive.mT, pole, state, late=False)
            output[..., first:stop] = read @ states.mT
    return output, state, starts


class _Stretches(torch.autograd.Function):
    """Run [batch, inputs, samples] in stretches."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, pole: Tensor, drive: Tensor, read: Tensor, start: Tensor
    ) -> tuple[Tensor, Tensor]:
        output, end, starts = _run(x, pole, drive, read, start)
        ctx.save_for_backward(x, pole, drive, read, *starts)
        return output, end.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_state: Tensor) -> tuple[Tensor, ...]:
        x, pole, drives, reads, *starts = ctx.saved_tensors
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
