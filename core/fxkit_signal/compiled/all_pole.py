"""The all-pole recursion in direct form and its adjoint, compiled, in float64."""

from __future__ import annotations

from numpy import empty, float64, zeros
from numpy.typing import NDArray

from fxkit_signal.compiled.kernel import kernel

Array = NDArray[float64]


@kernel()
def forward(x: Array, a: Array, start: Array) -> Array:
    """Return the last outputs before the first sample and all after, oldest first [rows, order + samples].

    `x` [rows, samples]; `a` [groups, 1 or samples, order], each group serving as many neighbouring rows;
    `start` [rows, order], latest first.
    """
    rows, samples = x.shape
    order, step = a.shape[2], 1 if a.shape[1] > 1 else 0
    out = empty((rows, order + samples))
    for row in range(rows):
        group = row * a.shape[0] // rows
        for k in range(order):
            out[row, order - 1 - k] = start[row, k]
        for n in range(samples):
            y = x[row, n]
            # The newest output comes last, so that what is older is summed while it is still on its way.
            for k in range(order - 1, -1, -1):
                y -= a[group, n * step, k] * out[row, order + n - 1 - k]
            out[row, order + n] = y
    return out


@kernel()
def backward(a: Array, out: Array, grad: Array) -> tuple[Array, Array]:
    """Return the gradients of start and x, in the place of that of what `forward` returned, and that of a."""
    rows = out.shape[0]
    order, step = a.shape[2], 1 if a.shape[1] > 1 else 0
    grad_a = zeros(a.shape)
    for row in range(rows):
        group = row * a.shape[0] // rows
        for n in range(out.shape[1] - 1, order - 1, -1):
            v = grad[row, n]
            for k in range(order):
                grad[row, n - 1 - k] -= a[group, (n - order) * step, k] * v
                grad_a[group, (n - order) * step, k] -= v * out[row, n - 1 - k]
    return grad, grad_a
