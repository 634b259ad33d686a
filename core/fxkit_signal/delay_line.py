"""Delay lines that are read between samples, at a moving place, with feedback around them.

w[n] = x[n] + g[n] s[n]                          what enters the line
v[n] = w(n - d[n])                               what leaves it, see `fxkit_signal.interpolator`
s[n] = (1 - a[n]) v[n] + a[n] s[n - 1]           a one-pole low-pass in the loop
"""

from __future__ import annotations

import math
from typing import Any, TypedDict

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.dispatch import compiled_for
from fxkit_signal.interpolator import Interpolation, Interpolator, interpolator


class LineState(TypedDict):
    """Hold what a line remembers, in float64: newest w [batch, channels, past], v and s [batch, channels]."""

    line: Tensor
    read: Tensor
    loop: Tensor


def least_delay(interpolation: Interpolation = "sinc", *, feedback: bool = False) -> float:
    """Return the shortest delay in samples that needs no sample of the future.

    With feedback it is one more: what leaves the line now cannot have entered it now.
    """
    method = interpolator(interpolation)
    return method.reach + method.shift + feedback


def delay_line(
    audio: Tensor,
    delay: Tensor,
    feedback: Tensor | None = None,
    damping: Tensor | None = None,
    state: LineState | None = None,
    *,
    longest: float,
    interpolation: Interpolation = "sinc",
) -> tuple[Tensor, LineState]:
    """Delay audio by a number of samples that may move and need not be whole.

    `audio` [batch, channels, samples]; `delay` in samples, `feedback` (magnitude below 1 for a loop that
    dies away) and `damping` in [0, 1) are [batch, 1 or channels, 1 or samples]. Delays are held within
    [`least_delay`, `longest`]. Returns v, of the shape and type of `audio`, and the next state; any split
    into blocks gives the same samples, also where a block is longer than the delay. Arithmetic is in float64.

    Differentiable once with respect to every tensor. Raises `ValueError` when `longest` is less than
    `least_delay`.
    """
    method = interpolator(interpolation)
    shortest = least_delay(interpolation, feedback=feedback is not None)
    if longest < shortest:
        raise ValueError(f"a line read by {interpolation} needs longest >= {shortest:g}, got {longest:g}")
    held = delay.double().clamp(shortest, longest).expand(audio.shape)
    gain, pole = _control(feedback, audio), _control(damping, audio)
    if state is None:
        state = _silence(audio, math.ceil(longest) + method.taps)
    run = _compiled if compiled_for(audio, delay, feedback, damping) else _chunked
    line, read, loop = run(audio.double(), held, gain, pole, state, method, feedback is not None)
    past = state["line"].shape[-1]
    following: LineState = {
        "line": line[..., line.shape[-1] - past :], "read": read[..., -1], "loop": loop[..., -1]
    }  # fmt: skip
    return read[..., 1:].to(audio.dtype), following


def _control(values: Tensor | None, audio: Tensor) -> Tensor:
    """Bring a control to every sample of `audio`; zero where there is none."""
    given = audio.new_zeros(()) if values is None else values
    return given.double().expand(audio.shape)


def _silence(audio: Tensor, past: int) -> LineState:
    rows = audio.shape[:2]
    zeros = audio.new_zeros((*rows, past), dtype=torch.float64)
    return {"line": zeros, "read": zeros[..., 0], "loop": zeros[..., 0]}


def _compiled(
    audio: Tensor, delay: Tensor, feedback: Tensor, damping: Tensor,
    state: LineState, method: Interpolator, _: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    line = torch.cat([state["line"], audio], dim=-1)
    flat = [part.flatten(0, 1) for part in (delay, feedback, damping, line, state["read"], state["loop"])]
    if torch.is_grad_enabled() and any(part.requires_grad for part in flat):
        results = _Line.apply(*flat, method)  # type: ignore[no-untyped-call]
    else:
        results = _filled([part.contiguous() for part in flat[:3]], flat[3], flat[4], flat[5], method)
    return tuple(part.view(*audio.shape[:2], -1) for part in results)


def _filled(
    controls: list[Tensor], line: Tensor, read: Tensor, loop: Tensor, method: Interpolator
) -> tuple[Tensor, ...]:
    """Run the kernel: `line` is changed, and returned with the series that follow the states."""
    from fxkit_signal.compiled.delay_line import run_line

    filled = (line, _from_state(read, controls[0]), _from_state(loop, controls[0]))
    run_line(*_arrays(controls), *_table(method), *_arrays(filled))
    return filled


class _Line(torch.autograd.Function):
    """Run the compiled kernel: controls [rows, samples], line [rows, past + samples], states [rows]."""

    @staticmethod
    def forward(
        ctx: Any, delay: Tensor, feedback: Tensor, damping: Tensor, line: Tensor, read: Tensor, loop: Tensor,
        method: Interpolator,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        controls = [part.contiguous() for part in (delay, feedback, damping)]
        filled = _filled(controls, line.clone(), read, loop, method)
        ctx.save_for_backward(*controls, *filled)
        ctx.method = method
        return filled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        from fxkit_signal.compiled.delay_line import run_line_adjoint

        saved = ctx.saved_tensors
        carried = [grad.clone(memory_format=torch.contiguous_format) for grad in grads]
        found = [torch.empty_like(part) for part in saved[:3]]
        run_line_adjoint(
            *_arrays(saved[:3]), *_table(ctx.method), *_arrays(saved[3:]), *_arrays(carried), *_arrays(found)
        )
        return *found, carried[0], carried[1][:, 0], carried[2][:, 0], None


def _from_state(first: Tensor, like: Tensor) -> Tensor:
    series = like.new_empty(like.shape[0], like.shape[1] + 1)
    series[:, 0] = first
    return series


def _arrays(tensors: Any) -> list[Any]:
    return [tensor.numpy() for tensor in tensors]


def _table(method: Interpolator) -> tuple[Any, ...]:
    return method.weights.numpy(), method.pole.numpy(), method.reach, method.shift


def _chunked(
    audio: Tensor, delay: Tensor, feedback: Tensor, damping: Tensor,
    state: LineState, method: Interpolator, looped: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Do the same by torch operations, in chunks none of which reads what it writes."""
    samples, past = audio.shape[-1], state["line"].shape[-1]
    length = samples
    if looped and samples:
        length = min(samples, int((delay.detach().amin() - method.shift).floor()) - method.reach)
    line, reads, loops = state["line"], [state["read"][..., None]], [state["loop"][..., None]]
    entered = [line]
    for start in range(0, samples, max(length, 1)):
        part = slice(start, start + length)
        joined = torch.cat([line, audio[..., part]], dim=-1)
        read = _read(joined, delay[..., part], reads[-1][..., -1], method)
        loop = _first_order((1 - damping[..., part]) * read, damping[..., part], loops[-1][..., -1])
        entered.append(audio[..., part] + feedback[..., part] * loop)
        line = torch.cat([line, entered[-1]], dim=-1)[..., -past:]
        reads.append(read)
        loops.append(loop)
    return tuple(torch.cat(parts, dim=-1) for parts in (entered, reads, loops))


def _read(line: Tensor, delay: Tensor, before: Tensor, method: Interpolator) -> Tensor:
    """Read the line [batch, channels, past + samples] behind each of its last samples."""
    weights, pole = method.weights.to(line.device), method.pole.to(line.device)
    samples, taps = delay.shape[-1], method.taps
    whole = (delay - method.shift).detach().floor()
    place = (delay - method.shift - whole) * method.rows
    step = place.detach().long().clamp(max=method.rows - 1)
    part = place - step
    now = torch.arange(line.shape[-1] - samples, line.shape[-1], device=line.device)
    first = now - whole.long() + method.reach - taps + 1
    index = first[..., None] + torch.arange(taps, device=line.device)
    values = line.gather(-1, index.flatten(-2)).view(index.shape)
    read = (_cubic(weights, step, part[..., None]) * values).sum(-1)
    return _first_order(read, -_cubic(pole, step, part), before) if method.recursive else read


def _cubic(table: Tensor, step: Tensor, part: Tensor) -> Tensor:
    """Return the polynomials of `table` [rows, 4, ...] at a place in a row."""
    first, second, third, fourth = table.unbind(1)
    return first[step] + part * (second[step] + part * (third[step] + part * fourth[step]))


def _first_order(drive: Tensor, pole: Tensor, before: Tensor) -> Tensor:
    """Solve y[n] = drive[n] + pole[n] y[n - 1] from y[-1] = `before`, by doubling strides.

    (Hillis and Steele, Data parallel algorithms, 1986.)
    """
    value = torch.cat([before[..., None], drive], dim=-1)
    factor = torch.nn.functional.pad(pole, (1, 0))
    stride = 1
    while stride < value.shape[-1]:
        value = torch.cat(
            [value[..., :stride], value[..., stride:] + factor[..., stride:] * value[..., :-stride]], dim=-1
        )
        factor = torch.cat([factor[..., :stride], factor[..., stride:] * factor[..., :-stride]], dim=-1)
        stride *= 2
    return value[..., 1:]
