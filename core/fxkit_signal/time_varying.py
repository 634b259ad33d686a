"""Linear systems of small order whose coefficients move with every sample, run exactly as a prefix sum.

s[n + 1] = M[n] s[n] + d[n]. Two steps in a row are one step of the same form, so neighbours are merged,
the half as long series is solved, and the steps between are filled in (Blelloch, Prefix Sums and Their
Applications, 1990): the depth is the logarithm of the length. Everything runs in float64.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def run_recursion(matrix: Tensor, drive: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Return the states before each sample, and the state after the last one.

    `matrix` [order, order, ..., samples], `drive` [order, ..., samples], `start` [order, ...], all float64;
    the axes between broadcast. Returns states [order, ..., samples] and the end state [order, ...].
    Differentiable once with respect to everything. Work and memory grow with the square of the order.
    """
    shape = torch.broadcast_shapes(matrix.shape[2:], drive.shape[1:], (*start.shape[1:], 1))
    drive = drive.expand(len(drive), *shape)
    states, end = _Recursion.apply(matrix, drive, start.expand(len(start), *shape[:-1]))  # type: ignore[no-untyped-call]
    return states, end


def solve_recursion(matrix: Tensor, drive: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Do what `run_recursion` does, on tensors of full shape and without gradients of its own."""
    first = _apply(matrix[..., 0], start) + drive[..., 0]
    after = _scan(matrix[..., 1:], torch.cat([first[..., None], drive[..., 1:]], dim=-1))
    return torch.cat([start[..., None], after[..., :-1]], dim=-1), after[..., -1].clone()


def _scan(matrix: Tensor, drive: Tensor) -> Tensor:
    """Solve v[n] = matrix[n - 1] v[n - 1] + drive[n] over the last axis, v[-1] = 0."""
    count = drive.shape[-1]
    if count == 1:
        return drive
    first, second = drive[..., : count - 1 : 2], drive[..., 1::2]
    # matrix[2 k] leads from 2 k to 2 k + 1, matrix[2 k + 1] on to 2 k + 2.
    into, onward = matrix[..., ::2], matrix[..., 1::2]
    steps = into.shape[-1] - 1
    odd = _scan(_product(into[..., 1:], onward[..., :steps]), _apply(into, first) + second)
    even = drive[..., ::2]
    gaps = even.shape[-1] - 1
    later = even[..., 1:] + _apply(onward[..., :gaps], odd[..., :gaps])
    values = torch.empty_like(drive)
    values[..., ::2], values[..., 1::2] = torch.cat([even[..., :1], later], dim=-1), odd
    return values


def _product(left: Tensor, right: Tensor) -> Tensor:
    product = left[:, 0, None] * right[None, 0]
    for j in range(1, len(left)):
        product = product + left[:, j, None] * right[None, j]
    return product


def _apply(matrix: Tensor, vector: Tensor) -> Tensor:
    result = matrix[:, 0] * vector[0]
    for j in range(1, len(matrix)):
        result = result + matrix[:, j] * vector[j]
    return result


class _Recursion(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, drive: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        states, end = solve_recursion(matrix, drive, start)
        ctx.save_for_backward(matrix, states)
        return states, end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_states: Tensor, grad_end: Tensor) -> tuple[Tensor, ...]:
        matrix, states = ctx.saved_tensors
        reversed_adjoint, grad_start = solve_recursion(
            matrix.transpose(0, 1).flip(-1), grad_states.flip(-1), grad_end
        )
        adjoint = reversed_adjoint.flip(-1)
        grad_matrix = (adjoint[:, None] * states[None]).sum_to_size(matrix.shape)
        return grad_matrix, adjoint, grad_start
