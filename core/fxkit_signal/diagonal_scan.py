"""Diagonal linear recurrences s' = p s + d over complex numbers, without gradients of their own.

Complex numbers come as [real parts | imaginary parts] along the last axis, `modes` of each. States are
carried in float64 whatever the drives are: rounded to float32, a slow pole would move.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fxkit_signal.dispatch import compiled_for


def scan(drive: Tensor, pole: Tensor, start: Tensor, late: bool) -> tuple[Tensor, Tensor]:
    """Return the states after each step, or before it where `late`, and the one after the last.

    `drive` [rows, steps, 2 modes], whose memory may be used for the result; `pole` float64 [groups, 2 modes],
    that of row r being number r % groups; `start` float64 [rows, 2 modes].
    """
    if compiled_for(drive, pole, start) and drive.is_contiguous():
        from fxkit_signal.compiled import diagonal_scan
        from fxkit_signal.compiled.threads import spread

        end = start.clone()
        values = drive.numpy(), pole.contiguous().numpy(), end.numpy()
        spread(lambda first, stop: diagonal_scan.run(*values, first, stop, late), len(drive))
        return drive, end
    states, end = _solve(_complex(drive), _poles(pole, drive), _complex(start), late)
    return _parts(states).to(drive.dtype), _parts(end)


def scan_back(
    grad: Tensor, pole: Tensor, end: Tensor, states: Tensor, late: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of the drives, the start and the poles of `scan`.

    `grad` [rows, steps, 2 modes] is that of its result, whose memory may be used, `end` float64 that of its
    end; `states` are those before each step.
    """
    if compiled_for(grad, pole, end, states) and grad.is_contiguous() and states.is_contiguous():
        from fxkit_signal.compiled import diagonal_scan
        from fxkit_signal.compiled.threads import spread

        start, total = end.clone(), torch.empty_like(end)
        values = grad.numpy(), pole.contiguous().numpy(), start.numpy(), states.numpy(), total.numpy()
        spread(lambda first, stop: diagonal_scan.run_back(*values, first, stop, late), len(grad))
        return grad, start, total.unflatten(0, (-1, len(pole))).sum(0)
    conjugate, turned, start = _poles(pole, grad).conj(), _complex(grad).flip(1), _complex(end)
    if late:
        turned, start = _solve(turned, conjugate, start, late)
    else:
        turned[:, 0] += start
        turned, start = _solve(turned, conjugate, torch.zeros_like(start), late)
        start = conjugate[:, 0] * start
    adjoint = turned.flip(1)
    total = _parts((_complex(states).conj() * adjoint).sum(1)).unflatten(0, (-1, len(pole))).sum(0)
    return _parts(adjoint).to(grad.dtype), _parts(start), total


def _complex(parts: Tensor) -> Tensor:
    real, imaginary = parts.double().chunk(2, dim=-1)
    return torch.complex(real.contiguous(), imaginary.contiguous())


def _parts(values: Tensor) -> Tensor:
    return torch.cat([values.real, values.imag], dim=-1)


def _poles(pole: Tensor, like: Tensor) -> Tensor:
    return _complex(pole).repeat(len(like) // len(pole), 1)[:, None]


def _solve(drive: Tensor, pole: Tensor, start: Tensor, late: bool) -> tuple[Tensor, Tensor]:
    first = drive[:, :1] + pole * start[:, None]
    after = _prefix(pole, torch.cat([first, drive[:, 1:]], dim=1))
    states = torch.cat([start[:, None], after[:, :-1]], dim=1) if late else after
    return states, after[:, -1]


def _prefix(pole: Tensor, drive: Tensor) -> Tensor:
    """Solve v[k] = pole v[k - 1] + drive[k], v[-1] = 0, over axis 1 (Blelloch, Prefix Sums, 1990)."""
    count = drive.shape[1]
    if count == 1:
        return drive
    odd = _prefix(pole * pole, pole * drive[:, : count - 1 : 2] + drive[:, 1::2])
    even = drive[:, 2::2] + pole * odd[:, : (count - 1) // 2]
    values = torch.empty_like(drive)
    values[:, ::2], values[:, 1::2] = torch.cat([drive[:, :1], even], dim=1), odd
    return values
