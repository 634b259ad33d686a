"""A bank of harmonic oscillators driven by frames of pitch and amplitudes.

Between two frames everything about a harmonic tone follows from its phase at the first, so each
stretch of one hop is rendered on its own: the phases at the frames are summed exactly, in float64
cycles, and wrapped before anything is rounded to float32.
"""

from __future__ import annotations

import math
from typing import Any, TypedDict

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from fxkit_signal.framing import FrameState, bracket_frames

# Share of the band below half the sample rate over which partials fade out.
FADE = 0.05
_TILE_SAMPLES = 16384


class HarmonicState(TypedDict):
    """Hold the frames still needed, and the phase in cycles at the first of them, [batch] float64."""

    clock: FrameState
    phase: Tensor


def nyquist_fade(frequency: Tensor, rate: float) -> Tensor:
    """Return the factor that silences what would alias: 1, falling to 0 at half the sample rate.

    Linear over the last 5 % below half of `rate`; exactly 0 from there on.
    """
    return ((1 - frequency * (2 / rate)) / FADE).clamp(0, 1)


def harmonic_bank(
    f0: Tensor, amplitudes: Tensor, samples: int, hop: int, rate: float, state: HarmonicState | None = None
) -> tuple[Tensor, HarmonicState]:
    """Render sum over k of a_k(t) sin(2 pi k phase(t)), phase'(t) = f0(t), starting from phase 0.

    `f0` in Hz [batch, 1, frames due] and `amplitudes` [batch, partials, frames due] are interpolated
    linearly between frames `hop` samples apart. Partials fade out below half of `rate` (see
    `nyquist_fade`). Returns audio [batch, 1, samples] and the next state; any split into blocks gives the
    same audio. Differentiable; memory beyond the output does not grow with the length.

    Raises `ValueError` when the frames are not those due (see `fxkit_signal.framing`).
    """
    clock = None if state is None else state["clock"]
    controls = torch.cat([f0, amplitudes], dim=1)
    frames, offset, clock = bracket_frames(controls, samples, hop, clock)
    start = f0.new_zeros(f0.shape[0], dtype=torch.float64) if state is None else state["phase"]
    phases = _frame_phases(frames[:, 0].double(), start, hop, rate)
    following: HarmonicState = {"clock": clock, "phase": phases[:, -2:][:, 0] % 1}
    if samples == 0:
        return f0.new_zeros(f0.shape[0], 1, 0), following
    tones = _render_rows(frames, phases, hop, rate).reshape(f0.shape[0], 1, -1)
    return tones[..., offset : offset + samples], following


def _frame_phases(f0: Tensor, start: Tensor, hop: int, rate: float) -> Tensor:
    """Sum the cycles from frame to frame, [batch, frames]: a hop sees f0 rise from one frame to the next."""
    steps = (f0[:, :-1] * (hop + 1) + f0[:, 1:] * (hop - 1)) / (2 * rate)
    return torch.cat([start[:, None], start[:, None] + steps.cumsum(1)], dim=1)[:, : max(f0.shape[1], 1)]


def _render_rows(frames: Tensor, phases: Tensor, hop: int, rate: float) -> Tensor:
    """Render every stretch between two frames, [batch * (frames - 1), hop].

    Stretches are taken in order of pitch, leaps last, so that those rendered together reach equally
    far up and partials beyond half the sample rate are never computed.
    """
    first, second = (frames[..., piece].mT.flatten(0, 1) for piece in (slice(None, -1), slice(1, None)))
    pitch = torch.stack([first[:, 0], second[:, 0]]).detach()
    low, high = pitch.amin(0), pitch.amax(0)
    order = (high + rate * (high > 1.1 * low)).argsort()
    parts = []
    for chosen in order.split(max(1, _TILE_SAMPLES // hop)):
        ends = torch.stack([first[chosen], second[chosen]], dim=1)
        limits = _limits(float(low[chosen].min()), float(high[chosen].max()), ends.shape[2] - 1, rate)
        parts.append(_render_tile(phases[:, :-1].flatten()[chosen], ends, limits, hop, rate))
    return torch.cat(parts)[order.argsort()]


def _limits(low: float, high: float, partials: int, rate: float) -> tuple[int, int]:
    """Return how many partials need no fade at any pitch from low to high, and how many may sound."""
    safe = (1 - FADE) * rate / 2 / max(high, 1e-6)
    audible = math.ceil(rate / 2 / max(low, 1e-6)) - 1
    return min(int(safe), partials), min(audible, partials)


def _render_tile(phase: Tensor, ends: Tensor, limits: tuple[int, int], hop: int, rate: float) -> Tensor:
    """Render stretches [rows, hop] from the phase at their start and the frames at their ends.

    `ends` [rows, 2, 1 + partials] holds f0 and the amplitudes.
    """
    safe, audible = limits
    sample = torch.arange(hop, device=phase.device)
    ramp = (sample / hop).to(ends.dtype)
    first, second = ends[:, :, 0].double().unbind(1)
    rise = (second - first)[:, None] * (sample * (sample - 1) / (2 * hop)).double()
    cycles = phase[:, None] + (first[:, None] * sample + rise) / rate
    tone: Tensor = _FactoredSum.apply(cycles, ends[..., 1 : safe + 1], ramp)  # type: ignore[no-untyped-call]
    if audible > safe:
        top: Tensor = checkpoint(_faded_sum, cycles, ends, ramp, limits, rate, use_reentrant=False)
        tone = tone + top
    return tone


def _faded_sum(cycles: Tensor, ends: Tensor, ramp: Tensor, limits: tuple[int, int], rate: float) -> Tensor:
    """Sum the partials that may pass half the sample rate, each faded sample by sample."""
    numbers = torch.arange(limits[0] + 1, limits[1] + 1, device=ends.device)
    f0 = torch.lerp(ends[:, 0, :1], ends[:, 1, :1], ramp)
    levels = ends[:, :, None, limits[0] + 1 : limits[1] + 1]
    levels = torch.lerp(levels[:, 0], levels[:, 1], ramp[:, None])
    waves = _turns(cycles[..., None] * numbers, ends.dtype).sin()
    return (waves * levels * nyquist_fade(f0[..., None] * numbers, rate)).sum(-1)


def _turns(cycles: Tensor, dtype: torch.dtype) -> Tensor:
    """Wrap cycles to [-0.5, 0.5] before they are rounded to `dtype`, and give them in radians."""
    return (cycles - cycles.detach().round()).to(dtype) * (2 * math.pi)


class _FactoredSum(torch.autograd.Function):
    """Sum a_k sin(2 pi k cycles), a_k moving along `ramp` from ends[:, 0] to ends[:, 1], by angle addition.

    With k = radix * i + j, sin(k x) = sin(radix i x) cos(j x) + cos(radix i x) sin(j x): the inner sums over
    j are matrix products with the amplitudes, and K partials cost about 4 sqrt(K) sines and cosines. The
    backward pass computes them again, so that nothing of the size samples * partials is ever kept.
    """

    @staticmethod
    def forward(ctx: Any, cycles: Tensor, ends: Tensor, ramp: Tensor) -> Tensor:
        ctx.save_for_backward(cycles, ends, ramp)
        table, fine, sines, cosines = _factors(cycles, ends)
        inner = _along_ramp(table @ fine, ramp)
        return (sines * inner[:, :, 0]).addcmul_(cosines, inner[:, :, 1]).sum(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        cycles, ends, ramp = ctx.saved_tensors
        table, fine, sines, cosines = _factors(cycles, ends)
        count, radix = sines.shape[1], table.shape[2]
        numbers = torch.arange(count * radix, dtype=ends.dtype, device=ends.device).view(count, radix)
        slopes = _along_ramp((table.unflatten(1, (2, count)) * numbers).flatten(1, 2) @ fine, ramp)
        slope = (cosines * slopes[:, :, 0]).addcmul_(sines, slopes[:, :, 1], value=-1).sum(1)
        spread = torch.stack([sines * grad[:, None], cosines * grad[:, None]], dim=2)
        rising = spread * ramp
        to_table = torch.cat([spread - rising, rising], dim=1).flatten(2) @ fine.mT
        to_ends = to_table.unflatten(1, (2, count)).flatten(2)[:, :, 1 : ends.shape[2] + 1]
        return (grad * slope).double() * (2 * math.pi), to_ends, None


def _factors(cycles: Tensor, ends: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what the sums consist of.

    Amplitudes [rows, 2 * count, radix]; cos(j x) beside sin(j x) [rows, radix, 2 * hop]; sin(radix i x)
    and cos(radix i x) [rows, count, hop].
    """
    rows, _, partials = ends.shape
    radix = math.isqrt(partials) + 1
    count = partials // radix + 1
    padded = torch.nn.functional.pad(ends, (1, radix * count - partials - 1))
    fine = ends.new_empty(rows, radix, 2, cycles.shape[1])
    angles = _turns(cycles, ends.dtype)[:, None] * torch.arange(radix, device=ends.device)[:, None]
    torch.cos(angles, out=fine[:, :, 0])
    torch.sin(angles, out=fine[:, :, 1])
    coarse = _turns(cycles * radix, ends.dtype)[:, None] * torch.arange(count, device=ends.device)[:, None]
    return padded.view(rows, 2 * count, radix), fine.flatten(2), coarse.sin(), coarse.cos()


def _along_ramp(product: Tensor, ramp: Tensor) -> Tensor:
    """Turn sums at both ends [rows, 2 * count, 2 * hop] into sums at each sample [rows, count, 2, hop]."""
    first, second = product.unflatten(2, (2, -1)).chunk(2, dim=1)
    return torch.lerp(first, second, ramp)
