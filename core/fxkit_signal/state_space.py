"""Linear time-invariant state-space systems run exactly, many samples at a time.

s[n + 1] = A s[n] + B x[n],  y[n] = C s[n] + D x[n].

Taking L samples as one step ("lifting") gives equations of the same form on blocks,
Y[k] = T X[k] + O S[k] and S[k + 1] = R X[k] + M S[k], with T the lower Toeplitz matrix of the impulse
response, O[i] = C A^i, R[:, j] = A^(L-1-j) B and M = A^L. That is one matrix product for nearly all
the work, and a short recursion over blocks that a parallel prefix sum resolves (Blelloch, Prefix Sums
and Their Applications, 1990). Everything runs in float64: a recursion rounded to float32 is wrong
for filters whose poles lie near the unit circle.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Longer blocks cost more multiplications per sample, shorter ones a longer recursion.
BLOCK = 40


def run_system(x: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Run single-input single-output systems over signals; return output and end state.

    `x` [groups, rows, samples] in any float type; the rows of a group share one system: `a`
    [groups, order, order], `b` and `c` [groups, order], `d` [groups], and start in `state`
    [groups, rows, order], all float64. Returns y in the type of `x`, and the state after the last
    sample. Differentiable once with respect to everything.
    """
    samples = x.shape[-1]
    if samples == 0:
        return x, state
    length = min(BLOCK, samples)
    blocks = -(-samples // length)
    lifted = _lift(a, b, c, d, length)
    padded = torch.nn.functional.pad(x, (0, blocks * length - samples)).unflatten(-1, (blocks, length))
    y, last = _Lifted.apply(padded, lifted, state)  # type: ignore[no-untyped-call]
    rest = samples - (blocks - 1) * length
    reached = padded[..., -1, :rest].double() @ lifted[:, length - rest : length, length:]
    return y.flatten(-2)[..., :samples], last @ torch.linalg.matrix_power(a, rest).mT + reached


def _lift(a: Tensor, b: Tensor, c: Tensor, d: Tensor, length: int) -> Tensor:
    """Return W [groups, L + order, L + order], for which [Y, S'] = [X, S] W: T and R over O and M."""
    observe, reach, power = c[:, :, None], b[:, None], a.mT
    while reach.shape[1] < length:
        observe = torch.cat([observe, power @ observe], dim=2)
        reach = torch.cat([reach @ power, reach], dim=1)
        power = power @ power
    observe, reach = observe[..., :length], reach[:, -length:]
    response = torch.cat([d[:, None, None], b[:, None] @ observe[..., :-1]], dim=2)[:, 0]
    upper = torch.cat([_toeplitz(response), reach], dim=2)
    lower = torch.cat([observe, torch.linalg.matrix_power(a, length).mT], dim=2)
    return torch.cat([upper, lower], dim=1)


def _toeplitz(response: Tensor) -> Tensor:
    """Lay [groups, L] out as [groups, L, L] with [i, j] = response[j - i], zero below the diagonal."""
    length = response.shape[1]
    strips: Tensor = torch.nn.functional.pad(response, (length - 1, 0)).unfold(1, length, 1)
    return strips.flip(1)


def _scan(step: Tensor, drive: Tensor) -> Tensor:
    """Solve v[k] = v[k - 1] step + drive[k] over axis 2 of [groups, rows, blocks, order].

    Neighbours are merged into one step, the half as long series is solved, and the steps between
    are filled in.
    """
    count = drive.shape[2]
    if count == 1:
        return drive
    pairs = count // 2
    first, second = drive[:, :, : 2 * pairs : 2], drive[:, :, 1 : 2 * pairs : 2]
    odd = _scan(step @ step, _advance(first, step) + second)
    even = drive[:, :, ::2].clone()
    even[:, :, 1:] += _advance(odd[:, :, : even.shape[2] - 1], step)
    values = torch.empty_like(drive)
    values[:, :, ::2], values[:, :, 1::2] = even, odd
    return values


def _advance(rows: Tensor, matrix: Tensor) -> Tensor:
    """Multiply each row of [groups, rows, blocks, n] by its group's matrix [groups, n, m]."""
    return (rows.flatten(1, 2) @ matrix).view(*rows.shape[:3], matrix.shape[-1])


class _Lifted(torch.autograd.Function):
    """Run [Y, S'] = [X, S] W over blocks; return Y [groups, rows, blocks, L] and the last S."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, lifted: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        groups, rows, blocks, length = x.shape
        joined = lifted.new_empty(groups, rows, blocks, lifted.shape[1])
        joined[..., :length] = x
        drive = _advance(joined[..., :length], lifted[:, :length, length:])
        states = _scan(lifted[:, length:, length:], torch.cat([start[:, :, None], drive[:, :, :-1]], dim=2))
        joined[..., length:] = states
        ctx.save_for_backward(joined, lifted)
        # A copy even where the type stays: torch.compile gives no gradient to a view that a Function returns.
        return _advance(joined, lifted[:, :, :length]).to(x.dtype, copy=True), states[:, :, -1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_last: Tensor) -> tuple[Tensor, ...]:
        joined, lifted = ctx.saved_tensors
        length = grad_y.shape[-1]
        adjoint = torch.empty_like(joined)
        adjoint[..., :length] = grad_y
        drive = _advance(adjoint[..., :length], lifted[:, length:, :length].mT)
        drive[:, :, -1] += grad_last
        states = _scan(lifted[:, length:, length:].mT, drive.flip(2)).flip(2)
        adjoint[:, :, :-1, length:] = states[:, :, 1:]
        adjoint[:, :, -1, length:] = 0
        grad_x = _advance(adjoint, lifted[:, :length].mT).to(grad_y.dtype)
        return grad_x, joined.flatten(1, 2).mT @ adjoint.flatten(1, 2), states[:, :, 0]
