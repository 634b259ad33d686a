"""Recursive filters as differentiable operations on tensors, on top of the compiled kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.compiled import all_pole, cascade, moving_cascade, one_pole, svf

Numbers = NDArray[Any]


def run_cascade(audio: Tensor, sos: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
    """Run cascades with constant coefficients; see `fxkit_signal.biquad.sosfilt`."""
    if state is None:
        state = audio.new_zeros(*audio.shape[:2], sos.shape[1], 2, dtype=torch.float64)
    if _wants_gradient(audio, sos, state):
        y, after = _Cascade.apply(audio, sos, state)  # type: ignore[no-untyped-call]
        return y, after
    y, after, _ = _cascade(audio, sos, state, keep=False)
    return y, after


def _wants_gradient(*tensors: Tensor) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def _flat(tensor: Tensor) -> Numbers:
    """Return the numbers of a tensor in one row: its own memory where the kernels can read it as it is.

    A gradient that a sum sends back is one number seen many times: a row without being contiguous.
    """
    tensor = tensor.detach()
    return (tensor if tensor.dtype == torch.float64 else tensor.float()).reshape(-1).contiguous().numpy()


def _table(tensor: Tensor, *shape: int) -> Numbers:
    # An array is reshaped in a fifth of the time that a tensor takes.
    return tensor.detach().double().contiguous().numpy().reshape(shape)


def _tensor(numbers: Numbers, like: Tensor) -> Tensor:
    tensor = torch.from_numpy(numbers.reshape(like.shape))
    return tensor if tensor.dtype == like.dtype else tensor.to(like.dtype)


def _cascade(audio: Tensor, sos: Tensor, state: Tensor, keep: bool) -> tuple[Tensor, Tensor, Numbers]:
    x = _flat(audio)
    y = np.empty_like(x)
    rows = _table(state, audio.shape[0] * audio.shape[1], -1)
    after, kept = cascade.forward(x, _table(sos, *sos.shape), rows, y, keep)
    return _tensor(y, audio), _tensor(after, state), kept


class _Cascade(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, audio: Tensor, sos: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        y, after, ctx.kept = _cascade(audio, sos, state, keep=ctx.needs_input_grad[1])
        ctx.save_for_backward(audio, sos)
        return y, after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_after: Tensor) -> tuple[Tensor | None, ...]:
        audio, sos = ctx.saved_tensors
        g = _flat(grad_y)
        grad_x = np.empty(g.size if ctx.needs_input_grad[0] else 0, g.dtype)
        rows = _table(grad_after, audio.shape[0] * audio.shape[1], -1)
        grad_sos, before = cascade.backward(_flat(audio), _table(sos, *sos.shape), ctx.kept, g, rows, grad_x)
        return (
            _tensor(grad_x, audio) if ctx.needs_input_grad[0] else None,
            _tensor(grad_sos, sos),
            _tensor(before, grad_after),
        )


def run_moving_cascade(
    audio: Tensor, sos: Tensor, state: Tensor | None, hop: int, offset: int
) -> tuple[Tensor, Tensor]:
    """Run cascades with moving coefficients; see `fxkit_signal.biquad.sosfilt_varying`."""
    if state is None:
        state = audio.new_zeros(*audio.shape[:2], sos.shape[2], 2, dtype=torch.float64)
    if _wants_gradient(audio, sos, state):
        y, after = _MovingCascade.apply(audio, sos, state, hop, offset)  # type: ignore[no-untyped-call]
        return y, after
    y, after, _ = _moving_cascade(audio, sos, state, hop, offset, keep=False)
    return y, after


def _moving_cascade(
    audio: Tensor, sos: Tensor, state: Tensor, hop: int, offset: int, keep: bool
) -> tuple[Tensor, Tensor, Numbers]:
    x = _flat(audio)
    y = np.empty_like(x)
    rows = _table(state, audio.shape[0] * audio.shape[1], -1)
    after, kept = moving_cascade.forward(x, _table(sos, *sos.shape), rows, y, hop, offset, keep)
    return _tensor(y, audio), _tensor(after, state), kept


class _MovingCascade(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, audio: Tensor, sos: Tensor, state: Tensor, hop: int, offset: int
    ) -> tuple[Tensor, Tensor]:
        y, after, ctx.kept = _moving_cascade(audio, sos, state, hop, offset, keep=True)
        ctx.save_for_backward(audio, sos)
        ctx.clock = hop, offset
        return y, after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_after: Tensor) -> tuple[Tensor | None, ...]:
        audio, sos = ctx.saved_tensors
        g = _flat(grad_y)
        grad_x = np.empty_like(g)
        rows = _table(grad_after, audio.shape[0] * audio.shape[1], -1)
        alone = ctx.clock == (1, 0) and sos.shape[:2] == (len(rows), audio.shape[-1])
        grad_sos = np.empty(sos.shape) if alone else np.zeros(sos.shape)
        x, numbers = _flat(audio), _table(sos, *sos.shape)
        before = moving_cascade.backward(x, numbers, ctx.kept, g, rows, grad_x, grad_sos, *ctx.clock)
        gradients = _tensor(grad_x, audio), _tensor(grad_sos, sos), _tensor(before, grad_after)
        return *gradients, None, None


def run_all_pole_kernel(x: Tensor, a: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Run all-pole filters; `x` [rows, samples], `a` [groups, 1 or samples, order], `start` [rows, order]."""
    order = a.shape[-1]
    if _wants_gradient(x, a, start):
        out: Tensor = _AllPole.apply(x, a, start)  # type: ignore[no-untyped-call]
    else:
        out = torch.from_numpy(all_pole.forward(_numbers(x), _numbers(a), _numbers(start)))
    return out[:, order:], out[:, out.shape[1] - order :].flip(-1)


def _numbers(tensor: Tensor) -> Numbers:
    return tensor.detach().contiguous().numpy()


class _AllPole(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor, start: Tensor) -> Tensor:
        out = torch.from_numpy(all_pole.forward(_numbers(x), _numbers(a), _numbers(start)))
        ctx.save_for_backward(a, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        a, out = ctx.saved_tensors
        pushed, grad_a = all_pole.backward(_numbers(a), _numbers(out), grad.contiguous().clone().numpy())
        adjoint, order = torch.from_numpy(pushed), a.shape[-1]
        return adjoint[:, order:], torch.from_numpy(grad_a), adjoint[:, :order].flip(-1)


def run_one_pole(audio: Tensor, a: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Smooth audio; `a` [batch or 1, 1 or channels, 1 or samples]; see `fxkit_signal.one_pole.one_pole`."""
    own = a.shape[1] > 1
    groups = (a.expand(len(audio), -1, -1) if own else a).flatten(0, 1)
    if _wants_gradient(audio, a, state):
        y, after = _OnePole.apply(audio, groups, state)  # type: ignore[no-untyped-call]
        return y, after
    y, after, _ = _one_pole(audio, groups, state, keep=False)
    return y, after


def _one_pole(audio: Tensor, a: Tensor, state: Tensor, keep: bool) -> tuple[Tensor, Tensor, Numbers]:
    x = _flat(audio)
    y = np.empty_like(x)
    after, kept = one_pole.forward(x, _numbers(a), _table(state, -1), y, keep)
    return _tensor(y, audio), _tensor(after, state), kept


class _OnePole(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, audio: Tensor, a: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        y, after, ctx.kept = _one_pole(audio, a, state, keep=True)
        ctx.save_for_backward(audio, a)
        return y, after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_after: Tensor) -> tuple[Tensor, ...]:
        audio, a = ctx.saved_tensors
        x, rows = _flat(audio), audio.shape[0] * audio.shape[1]
        grad_x, grad_a = np.empty_like(x), np.empty(rows * a.shape[1])
        before = one_pole.backward(
            x, _numbers(a), ctx.kept, _flat(grad_y), _table(grad_after, -1), grad_x, grad_a
        )
        to_a = torch.from_numpy(grad_a).view(len(a), -1, a.shape[1])
        return (
            _tensor(grad_x, audio),
            to_a.sum(1) if to_a.shape[1] > 1 else to_a[:, 0],
            _tensor(before, grad_after),
        )


Outputs = tuple[Tensor, Tensor, Tensor]


def run_svf(audio: Tensor, g: Tensor, r: Tensor, state: Tensor) -> tuple[Outputs, Tensor]:
    """Run state-variable filters; see `fxkit_signal.svf.svf`."""
    if _wants_gradient(audio, g, r, state):
        low, band, high, after = _SVF.apply(audio, g, r, state)  # type: ignore[no-untyped-call]
        return (low, band, high), after
    outputs, after, _ = _svf(audio, g, r, state, keep=False)
    return outputs, after


def _svf(audio: Tensor, g: Tensor, r: Tensor, state: Tensor, keep: bool) -> tuple[Outputs, Tensor, Numbers]:
    x = _flat(audio)
    low, band, high = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    tracks = _table(g, len(g), -1), _table(r, len(r), -1)
    after, kept = svf.forward(x, *tracks, _table(state, -1, 2), low, band, high, keep)
    outputs = _tensor(low, audio), _tensor(band, audio), _tensor(high, audio)
    return outputs, _tensor(after, state), kept


class _SVF(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, audio: Tensor, g: Tensor, r: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        outputs, after, ctx.kept = _svf(audio, g, r, state, keep=True)
        ctx.save_for_backward(audio, g, r)
        return *outputs, after

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_low: Tensor, grad_band: Tensor, grad_high: Tensor, grad_after: Tensor
    ) -> tuple[Tensor, ...]:
        audio, g, r = ctx.saved_tensors
        x, rows = _flat(audio), audio.shape[0] * audio.shape[1]
        grad_x, grad_g, grad_r = np.empty_like(x), np.zeros(rows * g.shape[-1]), np.zeros(rows * r.shape[-1])
        before = svf.backward(
            x, _table(g, len(g), -1), _table(r, len(r), -1), ctx.kept,
            _flat(grad_low), _flat(grad_band), _flat(grad_high), _table(grad_after, -1, 2),
            grad_x, grad_g, grad_r,
        )  # fmt: skip
        to_g, to_r = (
            torch.from_numpy(track).view(len(control), -1, control.shape[-1]).sum(1, keepdim=True)
            for track, control in ((grad_g, g), (grad_r, r))
        )
        return _tensor(grad_x, audio), to_g, to_r, _tensor(before, grad_after)
