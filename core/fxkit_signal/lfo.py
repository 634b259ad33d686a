"""Low-frequency oscillators: a phase that is a function of the absolute sample, and waves on it."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Wave = Literal["sine", "triangle"]

# Keeps a square root's slope finite where a harmonic is absent.
_TINY = 1e-20


def lfo_phase(
    rate: Tensor,
    phase: Tensor | float,
    count: int,
    sample_rate: float,
    position: Tensor | None = None,
    *,
    hop: int = 1,
) -> Tensor:
    """Return the phase in cycles, wrapped to [-0.5, 0.5], at `count` moments `hop` samples apart.

    `rate` in Hz and `phase` in cycles are [batch, size, 1]; `position` int64, on the CPU, [] or [batch],
    is the absolute sample of the first moment, None means 0. Returns float64 [batch, size, count].

    Nothing is summed up: the phase is rate * position + phase in float64, so it is off by less than
    1e-9 cycles after a day and does not depend on how a signal is split.
    """
    start = torch.zeros((), dtype=torch.int64) if position is None else position
    steps = hop * torch.arange(count) + start.reshape(-1, 1, 1)
    time = steps.to(device=rate.device, dtype=torch.float64) / sample_rate
    turns = rate.double() * time + phase
    return turns - turns.detach().round()


def lfo_wave(cycles: Tensor, wave: Wave = "sine") -> Tensor:
    """Return a wave in [-1, 1] at a phase in cycles; zero and rising at 0, highest at a quarter."""
    if wave == "sine":
        return torch.sin(2 * math.pi * cycles)
    quarter = cycles - 0.25
    return 1 - 4 * (quarter - quarter.detach().round()).abs()


def harmonic_wave(cycles: Tensor, sines: Tensor, cosines: Tensor) -> Tensor:
    """Return sum_k sines_k sin(2 pi k cycles) + cosines_k cos(2 pi k cycles), k = 1, 2, ..., in [-1, 1].

    Where the amplitudes of the harmonics sum to more than one, all are scaled down to that. `cycles`
    [..., samples]; `sines` and `cosines` [..., harmonics], broadcast against it. Returns the shape of
    `cycles`.
    """
    numbers = torch.arange(1, sines.shape[-1] + 1, dtype=cycles.dtype, device=cycles.device)[:, None]
    angles = 2 * math.pi * numbers * cycles[..., None, :]
    most = (sines.square() + cosines.square() + _TINY).sqrt().sum(-1).clamp_min(1)[..., None]
    return (sines[..., None] * angles.sin() + cosines[..., None] * angles.cos()).sum(-2) / most


def advance(position: Tensor | None, samples: int) -> Tensor:
    """Return the position after a block: the number of samples so far, int64 on the CPU."""
    return (torch.zeros((), dtype=torch.int64) if position is None else position) + samples
