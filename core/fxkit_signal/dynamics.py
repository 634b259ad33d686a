"""The gain of compressors and expanders: detector, static curve and smoothing, forward or fed back.

The designs of Giannoulis, Massberg and Reiss, "Digital dynamic range compressor design: a tutorial and
analysis", J. Audio Eng. Soc. 60(6), 2012. All recursions run in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.ballistics import attack_release
from fxkit_signal.dispatch import compiled_for
from fxkit_signal.gain_computer import amplitude, attenuation, decibels, reduction

# Blocks up to this length run in one loop where nothing is learned.
SHORT = 512


@dataclass(frozen=True)
class Design:
    """Choose how a dynamics processor is wired.

    `expands`: takes away below the threshold rather than above it. `power`: the level is a power, and
    averaged (an RMS detector), rather than an amplitude. `feedback`: listens to its own output, one
    sample late, rather than to its input. `on_level`: smooths the level before the static curve (the
    gain follows in a time that depends on the signal), rather than the attenuation in dB after it.
    `twice`: smooths once more after that, both ways alike.
    """

    expands: bool = False
    power: bool = False
    feedback: bool = False
    on_level: bool = False
    twice: bool = False


class Settings(NamedTuple):
    """Hold what may move, each [batch or 1, channels or 1, samples or 1].

    `threshold`, `knee` and `reach` (the largest attenuation) in dB; `slope` in dB per dB. Then smoothing
    coefficients in [0, 1): `rise` where the smoothed quantity grows, `fall` where it shrinks, `after` of
    the second smoother (used with `twice`), and `average` of the power (used with `power`).
    """

    threshold: Tensor
    slope: Tensor
    knee: Tensor
    reach: Tensor
    rise: Tensor
    fall: Tensor
    after: Tensor
    average: Tensor


def dynamic_gain(
    level: Tensor, settings: Settings, design: Design, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the gain factors of a dynamics processor for a level, sample by sample.

    `level` >= 0, [batch, channels, samples]: magnitudes, or powers with `design.power`. `state` float64
    [batch, channels, 5], None means that it has been silent for ever. Returns gains in the type of `level`,
    at most 1, and the next state. Differentiable once with respect to everything; any split into blocks
    gives the same gains. Feedback without the compiled kernels takes a step of torch operations per
    sample: exact, and slow.
    """
    return joined_gain(level, join_settings(settings), design, state)


def join_settings(settings: Settings) -> Tensor:
    """Put settings side by side for `joined_gain`: float64 [batch or 1, channels or 1, 1 or samples, 8]."""
    return torch.stack(torch.broadcast_tensors(*settings), dim=-1).double()


def joined_gain(
    level: Tensor, joined: Tensor, design: Design, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return what `dynamic_gain` does for settings that were put together beforehand, once per stream."""
    batch, channels, samples = level.shape
    joined = joined.expand(batch, channels, -1, -1)
    if state is None:
        state = _silent(joined[:, :, 0], design)
    if samples == 0:
        return level, state
    learns = torch.is_grad_enabled() and any(t.requires_grad for t in (level, joined, state))
    compiled = compiled_for(level, joined, state)
    # Long signals are faster in stages, whose logarithms run on many samples at once.
    if not design.feedback and (not compiled or learns or samples > SHORT):
        gain, after = _in_stages(level.double(), joined, state, design)
    elif compiled:
        follow: Any = _FedBack.apply if learns else _followed
        gain, after = follow(level.double(), joined, state, design)[:2]
    else:
        gain, after = _step_by_step(level.double(), joined, state, design)
    return gain.to(level.dtype), after


def _silent(settings: Tensor, design: Design) -> Tensor:
    """Return the state that endless silence leads to, [batch, channels, 5]."""
    now = Settings(*settings.unbind(-1))
    nothing = torch.zeros_like(now.threshold)
    less = _less(nothing, now, design)
    smooth = nothing if design.on_level else less
    return torch.stack((nothing, smooth, smooth, nothing, amplitude(-less)), dim=-1)


def _less(level: Tensor, settings: Settings, design: Design) -> Tensor:
    over = decibels(level, power=design.power) - settings.threshold
    return reduction(-over if design.expands else over, settings.slope, settings.knee, settings.reach)


def _in_stages(level: Tensor, settings: Tensor, state: Tensor, design: Design) -> tuple[Tensor, Tensor]:
    mean, first, _, _, _ = state.unbind(-1)
    now, curve = Settings(*settings.unbind(-1)), settings[..., :4]
    heard = level
    if design.power:
        heard, mean = attack_release(heard, now.average, now.average, mean)
    if not design.on_level:
        heard = attenuation(heard, curve, power=design.power, expands=design.expands)
    heard, first = attack_release(heard, now.rise, now.fall, first)
    second = first
    if design.twice:
        heard, second = attack_release(heard, now.after, now.after, state[..., 2])
    if design.on_level:
        heard = attenuation(heard, curve, power=design.power, expands=design.expands)
    gain = amplitude(-heard)
    return gain, torch.stack((mean, first, second, level[..., -1], gain[..., -1]), dim=-1)


def _step_by_step(level: Tensor, settings: Tensor, state: Tensor, design: Design) -> tuple[Tensor, Tensor]:
    mean, first, second, before, gain = state.unbind(-1)
    gains = []
    for n in range(level.shape[-1]):
        now = Settings(*settings[:, :, n if settings.shape[2] > 1 else 0].unbind(-1))
        heard = before * gain.square() if design.power else before * gain
        if design.power:
            heard = mean = torch.lerp(heard, mean, now.average)
        if not design.on_level:
            heard = _less(heard, now, design)
        first = torch.lerp(heard, first, torch.where(heard > first, now.rise, now.fall))
        second = torch.lerp(first, second, now.after) if design.twice else first
        gain = amplitude(-(_less(second, now, design) if design.on_level else second))
        before = level[..., n]
        gains.append(gain)
    return torch.stack(gains, dim=-1), torch.stack((mean, first, second, before, gain), dim=-1)


def _sign(design: Design) -> float:
    return -1.0 if design.expands else 1.0


def _rows(*tensors: Tensor) -> list[Any]:
    return [tensor.detach().contiguous().flatten(0, 1).numpy() for tensor in tensors]


def _followed(
    level: Tensor, settings: Tensor, state: Tensor, design: Design, keep: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the compiled loop; everything float64, settings [batch, channels, 1 or samples, 8]."""
    from fxkit_signal.compiled.dynamics import follow

    run: Any = follow
    modes = _sign(design), design.power, design.feedback, design.on_level, design.twice
    gain, after, trace = map(torch.from_numpy, run(*_rows(level, settings, state), *modes, keep))
    return gain.view(level.shape), after.view(state.shape), trace


class _FedBack(torch.autograd.Function):
    """Run the compiled loop, fed back, and its adjoint; shapes as in `_followed`."""

    @staticmethod
    def forward(
        ctx: Any, level: Tensor, settings: Tensor, state: Tensor, design: Design
    ) -> tuple[Tensor, Tensor]:
        gain, after, trace = _followed(level, settings, state, design, keep=True)
        ctx.save_for_backward(level, settings, state, gain, trace)
        ctx.design = design
        return gain, after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_after: Tensor) -> tuple[Tensor | None, ...]:
        from fxkit_signal.compiled.dynamics import follow_adjoint

        *rows, trace = ctx.saved_tensors
        run: Any = follow_adjoint
        design: Design = ctx.design
        modes = _sign(design), design.power, design.on_level, design.twice
        found = run(*_rows(grad, grad_after, *rows), trace.numpy(), *modes)
        shape = grad.shape[:2]
        gradients = (torch.from_numpy(array) for array in found)
        return (*(gradient.view(*shape, *gradient.shape[1:]) for gradient in gradients), None)
