"""Level detectors that rise and fall at different speeds, and switches that hold.

Smoothers follow Giannoulis, Massberg and Reiss, "Digital dynamic range compressor design: a tutorial
and analysis", J. Audio Eng. Soc. 60(6), 2012. They run in float64 whatever comes in: slow releases have
coefficients that float32 cannot tell from one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.dispatch import compiled_for

# A graph that is traced cannot ask whether the branches are found; blocks up to this length become steps.
UNROLLED = 512
_FOR_EVER = 2**60


def smoothing_coefficient(milliseconds: Tensor, rate: float) -> Tensor:
    """Return the coefficient of a one-pole smoother that comes within 1/e in a time (eq. 7).

    `milliseconds` of any shape, `rate` in Hz. Returns float64 in [0, 1); a time of 0 gives 0.
    """
    return torch.exp(-1000 / (milliseconds.double() * rate))


def attack_release(
    level: Tensor, attack: Tensor, release: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Smooth a level by one coefficient where it rises and another where it falls, exactly.

    y[n] = c y[n - 1] + (1 - c) x[n] with c = `attack` where x[n] > y[n - 1], else `release`: the
    branching smooth detector (eq. 16). `level` [batch, channels, samples]; the coefficients
    [batch or 1, channels or 1, samples or 1] in [0, 1); `state` the last y, float64 [batch, channels], None
    means 0. Returns the smoothed level in the type of `level`, and the next state. Differentiable once
    with respect to everything, with the subgradient of the branch taken; any split into blocks gives
    the same output.

    Where the compiled kernels cannot serve, the branches are found by policy iteration (Howard, Dynamic
    Programming and Markov Processes, 1960) over parallel scans: exact as well, but ten times slower. Traced
    graphs of short blocks take a step of torch operations per sample.
    """
    batch, channels, samples = level.shape
    start = level.new_zeros(batch, channels, dtype=torch.float64) if state is None else state
    if samples == 0:
        return level, start
    moving = max(attack.shape[-1], release.shape[-1])
    rise, fall = (c.double().expand(batch, channels, moving) for c in (attack, release))
    if compiled_for(level, rise, fall, start):
        learns = torch.is_grad_enabled() and any(t.requires_grad for t in (level, rise, fall, start))
        run: Any = _Smoother.apply if learns else _smoothed
        out: Tensor = run(level.double(), rise, fall, start)
    elif torch.compiler.is_compiling() and samples <= UNROLLED:
        out = _smooth_by_steps(level.double(), rise, fall, start)
    else:
        out = _smooth_by_scans(level.double(), rise, fall, start)
    return out.to(level.dtype), out[..., -1]


def decoupled(
    level: Tensor, attack: Tensor, release: Tensor, state: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Smooth a level by a release with instant attack, then by the attack both ways (eq. 17).

    The smooth decoupled detector: a rise right after a fall takes the whole attack time, and a release
    starts without a corner. Shapes and gradients are those of `attack_release`; the state is the pair of both
    stages.
    """
    first, second = (None, None) if state is None else state
    held, first = attack_release(level, torch.zeros_like(release), release, first)
    smooth, second = attack_release(held, attack, attack, second)
    return smooth, (first, second)


def held_open(
    level: Tensor, upper: Tensor, lower: Tensor, hold: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Switch on above `upper`, off below `lower`, and stay on for `hold` samples more.

    `level` [batch, channels, samples]; thresholds and hold [batch or 1, channels or 1, samples or 1],
    `lower` <= `upper`. Returns a boolean [batch, channels, samples] and the next state, int64 [batch,
    channels, 2]: whether it is on, and the samples since it last was (before the start: for ever).
    Has no gradient.
    """
    batch, channels, samples = level.shape
    if state is None:
        state = torch.tensor([0, _FOR_EVER], device=level.device).expand(batch, channels, 2)
    if samples == 0:
        return level > upper, state
    clock = torch.arange(1, samples + 1, device=level.device)
    rises = level > upper
    latest = (clock * (rises | (level < lower))).cummax(-1).values
    switched = rises.gather(-1, (latest - 1).clamp(min=0))
    on = torch.where(latest > 0, switched, state[..., :1] > 0)
    waited = clock - torch.where(on, clock, -state[..., 1:]).cummax(-1).values
    return waited <= hold, torch.stack((on[..., -1].long(), waited[..., -1]), dim=-1)


def _smoothed(level: Tensor, attack: Tensor, release: Tensor, start: Tensor) -> Tensor:
    """Run the compiled smoother in float64, coefficients [batch, channels, 1 or samples]."""
    return _trace(level, attack, release, start)[..., 1:]


def _trace(*inputs: Tensor) -> Tensor:
    from fxkit_signal.compiled.ballistics import smooth

    rows = [tensor.detach().contiguous().flatten(0, 1).numpy() for tensor in inputs]
    return torch.from_numpy(smooth(*rows)).view(*inputs[0].shape[:2], -1)


class _Smoother(torch.autograd.Function):
    """Run the compiled smoother and its adjoint."""

    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        trace = _trace(*inputs)
        ctx.save_for_backward(*inputs[:3], trace)
        return trace[..., 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        from fxkit_signal.compiled.ballistics import smooth_adjoint

        rows = [tensor.contiguous().flatten(0, 1).numpy() for tensor in (grad, *ctx.saved_tensors)]
        found = map(torch.from_numpy, smooth_adjoint(*rows))
        return tuple(gradient.unflatten(0, grad.shape[:2]) for gradient in found)


def _smooth_by_steps(level: Tensor, attack: Tensor, release: Tensor, start: Tensor) -> Tensor:
    last, out = start, []
    shape = level.shape
    for x, rise, fall in zip(*(t.expand(shape).unbind(-1) for t in (level, attack, release)), strict=True):
        last = torch.lerp(x, last, torch.where(x > last, rise, fall))
        out.append(last)
    return torch.stack(out, dim=-1)


def _smooth_by_scans(level: Tensor, attack: Tensor, release: Tensor, start: Tensor) -> Tensor:
    """Find which branch is taken where, then run the linear recurrence that remains."""
    with torch.no_grad():
        rises = level > start[..., None]
        while True:
            out = _recur(level, torch.where(rises, attack, release), start)
            found = level > torch.cat((start[..., None], out[..., :-1]), dim=-1)
            if torch.equal(found, rises):
                break
            rises = found
    return _recur(level, torch.where(rises, attack, release), start)


def _recur(level: Tensor, c: Tensor, start: Tensor) -> Tensor:
    """Solve y[n] = c[n] y[n - 1] + (1 - c[n]) x[n] with y[-1] = `start`."""
    drive = (1 - c) * level
    first = drive[..., :1] + c[..., :1] * start[..., None]
    return _scan(c, torch.cat((first, drive[..., 1:]), dim=-1))


def _scan(c: Tensor, drive: Tensor) -> Tensor:
    """Solve y[n] = c[n] y[n - 1] + drive[n] from y[-1] = 0 by a parallel prefix sum (Blelloch, 1990)."""
    count = drive.shape[-1]
    if count == 1:
        return drive
    even, odd = slice(0, count // 2 * 2, 2), slice(1, None, 2)
    second = c[..., odd]
    pairs = _scan(second * c[..., even], second * drive[..., even] + drive[..., odd])
    between = drive[..., 2::2] + c[..., 2::2] * pairs[..., : (count - 1) // 2]
    first = torch.cat((drive[..., :1], between), dim=-1)
    if count % 2:
        return torch.cat((torch.stack((first[..., :-1], pairs), dim=-1).flatten(-2), first[..., -1:]), dim=-1)
    return torch.stack((first, pairs), dim=-1).flatten(-2)
