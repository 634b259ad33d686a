"""All-pole recursions in direct form: resonances as linear prediction describes them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.dispatch import compiled_for
from fxkit_signal.state_space import run_system
from fxkit_signal.time_varying import solve_recursion

# Matrices of a stretch of time are held at once: so many numbers, about 32 MB.
NUMBERS = 2**22


def all_pole(audio: Tensor, a: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Filter audio by y[n] = x[n] - sum over k of a[n, k - 1] y[n - k]; return it and the next state.

    `audio` [batch, channels, samples] of any float type; `a` [batch or 1, 1 or samples, order] float64, one
    set of coefficients that stands still, or one for each sample. `state` [batch, channels, order] float64
    holds the last outputs, the latest first; None means silence. Differentiable once with respect to
    everything.
    """
    y, last = run_all_pole(audio.double(), a.double()[:, None], state)
    return y.to(audio.dtype), last


def run_all_pole(x: Tensor, a: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
    """Do what `all_pole` does, in float64, with `a` [batch or 1, channels or 1, 1 or samples, order]."""
    batch, channels, samples = x.shape
    order = a.shape[-1]
    if state is None:
        state = x.new_zeros(batch, channels, order)
    if not x.numel():
        return x, state
    shared = a.shape[1] == 1
    groups = a.flatten(0, 1) if shared else a.expand(batch, -1, -1, -1).flatten(0, 1)
    rows, start = x.reshape(batch * channels, samples), state.reshape(batch * channels, order)
    y, last = _choose(rows, groups, start)
    return y.view(x.shape), last.view(state.shape)


def _choose(rows: Tensor, groups: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    if compiled_for(rows, groups, start):
        from fxkit_signal.compiled.recursive import run_all_pole_kernel

        return run_all_pole_kernel(rows, groups, start)
    if groups.shape[1] == 1:
        return _still(rows, groups[:, 0], start)
    out = _Moving.apply(rows, groups, start)  # type: ignore[no-untyped-call]
    order = start.shape[-1]
    return out[:, order:], out[:, out.shape[1] - order :].flip(-1)


def _still(rows: Tensor, a: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Run filters that stand still as state-space systems whose state is the last outputs."""
    groups, order = a.shape
    shift = torch.eye(order, dtype=a.dtype, device=a.device)[:-1].expand(groups, -1, -1)
    matrix = torch.cat([-a[:, None], shift], dim=1)
    into = torch.zeros_like(a)
    into[:, 0] = 1
    unit = torch.ones_like(a[:, 0])
    y, last = run_system(
        rows.unflatten(0, (groups, -1)), matrix, into, -a, unit, start.unflatten(0, (groups, -1))
    )
    return y.flatten(0, 1), last.flatten(0, 1)


def _solve(x: Tensor, a: Tensor, start: Tensor) -> Tensor:
    """Return `start`, oldest first, and the outputs after it; stretch by stretch to bound the memory."""
    order, rows = a.shape[-1], len(x)
    stretch = max(64, NUMBERS // (order * order * rows))
    parts, last = [start.flip(-1)], start
    for some, moving in zip(x.split(stretch, -1), a.split(stretch, 1), strict=True):
        matrix = _companions(moving.repeat_interleave(rows // len(a), 0))
        drive = torch.nn.functional.pad(some[None], (0, 0, 0, 0, 0, order - 1))
        states, end = solve_recursion(matrix, drive, last.T)
        parts.append(torch.cat([states[0, :, 1:], end[0, :, None]], dim=-1))
        last = end.T
    return torch.cat(parts, dim=-1)


def _companions(a: Tensor) -> Tensor:
    """Return the matrices [order, order, rows, samples] that shift the last outputs on."""
    order = a.shape[-1]
    shift = torch.eye(order, dtype=a.dtype, device=a.device)[:-1, :, None, None]
    first = -a.permute(2, 0, 1)[None]
    return torch.cat([first, shift.expand(-1, -1, *a.shape[:2])])


class _Moving(torch.autograd.Function):
    """Run coefficients that move; the adjoint is an all-pole filter in reversed time."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor, start: Tensor) -> Tensor:
        out = _solve(x, a, start)
        ctx.save_for_backward(a, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        a, out = ctx.saved_tensors
        order, rows = a.shape[-1], len(out)
        # v[n] = grad[n] - sum of a[n + k, k - 1] v[n + k]: reversed, tap k moves k samples ahead.
        padded = torch.nn.functional.pad(a, (0, 0, order, order))
        late = [padded[:, k : k + out.shape[1], k - 1] for k in range(1, order + 1)]
        silence = grad.new_zeros(rows, order)
        v = _solve(grad.flip(-1), torch.stack(late, dim=-1).flip(1), silence)[:, order:].flip(-1)
        inner = v[:, order:]
        past = torch.stack([out[:, order - k : out.shape[1] - k] for k in range(1, order + 1)], dim=-1)
        grad_a = -(inner[..., None] * past).unflatten(0, (len(a), -1)).sum(1)
        return inner, grad_a, v[:, :order].flip(-1)
