"""Networks of delay lines that feed each other through a matrix, with losses in every line.

x_j[n] = s_j[n - m_j]                            what leaves line j
l_j[n] = (1 - p_j) x_j[n] + p_j l_j[n - 1]       a one-pole low-pass of it
y_j[n] = high_j x_j[n] + (low_j - high_j) l_j[n]
s_i[n] = drive_i[n] + sum over j of A_ij y_j[n]  what enters line i

(Jot and Chaigne, Digital delay networks for designing artificial reverberators, 1991.) The low-pass
takes values inside the circle around 1/2 of radius 1/2, so the gain of each line lies between its low and
its high one in magnitude at most. With both below 1 and an orthogonal A, no loop can gain: the network is
stable for every such parameter (Schlecht and Habets, On lossless feedback delay networks, 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypedDict

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.dispatch import compiled_for

# Longer chunks cost more strides in the low-pass, shorter ones more operations.
_LONGEST_CHUNK = 512


class NetworkState(TypedDict):
    """Hold what a network remembers, in float64: newest s [batch, lines, longest] and l [batch, lines]."""

    lines: Tensor
    filtered: Tensor


class Losses(TypedDict):
    """Hold low, high and pole, each [batch or 1, lines]."""

    low: Tensor
    high: Tensor
    pole: Tensor


def feedback_delay_network(
    drive: Tensor, delays: Sequence[int], mixing: Tensor, losses: Losses, state: NetworkState | None = None
) -> tuple[Tensor, NetworkState]:
    """Run a network; return y and the next state.

    `drive` [batch, lines, samples]; `delays` in samples, at least 1, one per line; `mixing` A [lines, lines];
    `state` None means silence. Returns y in the shape and type of `drive`; any split into blocks gives the
    same y. Arithmetic is in float64. Differentiable once with respect to every tensor.
    """
    batch, lines, samples = drive.shape
    parts = [
        mixing.double(),
        *(losses[name].double().expand(batch, lines) for name in ("low", "high", "pole")),
    ]
    if state is None:
        silence = drive.new_zeros(batch, lines, max(delays), dtype=torch.float64)
        state = {"lines": silence, "filtered": silence[..., 0]}
    if not samples:
        return drive, state
    run = _compiled if compiled_for(drive, *parts) else _chunked
    heard, following = run(drive.double(), delays, parts, state)
    return heard.to(drive.dtype), following


def decay_losses(
    delays: Sequence[int], rate: float, t60_low: Tensor, t60_high: Tensor, crossover: Tensor
) -> Losses:
    """Return the losses that make all lines die away alike, by 60 dB in a time per end of the spectrum.

    `t60_low` and `t60_high` in seconds and the low-pass's corner `crossover` in Hz, each [batch, 1];
    `rate` in Hz. A line of m samples needs the gain 10^(-3 m / (rate t60)) (Jot and Chaigne 1991, eq. 6).
    Returns float64 [batch, lines].
    """
    time = torch.tensor(delays, dtype=torch.float64, device=t60_low.device) / rate
    fall = -math.log(1000) * time
    pole = torch.exp(-2 * math.pi / rate * crossover.double()).expand(-1, len(delays))
    return {
        "low": torch.exp(fall / t60_low.double()), "high": torch.exp(fall / t60_high.double()), "pole": pole
    }  # fmt: skip


def prime_delays(count: int, shortest: float, longest: float) -> tuple[int, ...]:
    """Return `count` different primes near a geometric series from `shortest` to `longest`, ascending.

    Lengths without common factors keep echoes from falling together (Schroeder, Natural sounding
    artificial reverberation, 1962).
    """
    found: list[int] = []
    for index in range(count):
        number = round(shortest * (longest / shortest) ** (index / max(count - 1, 1)))
        number = max(number, found[-1] + 1 if found else 2)
        while any(number % divisor == 0 for divisor in range(2, math.isqrt(number) + 1)):
            number += 1
        found.append(number)
    return tuple(found)


def _chunked(
    drive: Tensor, delays: Sequence[int], parts: Sequence[Tensor], state: NetworkState
) -> tuple[Tensor, NetworkState]:
    """Run chunks no longer than the shortest line: within one, no line hears what enters it."""
    mixing, low, high, pole = parts
    samples, longest = drive.shape[-1], state["lines"].shape[-1]
    length = min(samples, min(delays), _LONGEST_CHUNK)
    starts = longest - torch.tensor(delays, device=drive.device)
    places = (starts[:, None] + torch.arange(length, device=drive.device)).expand(drive.shape[0], -1, -1)
    lines, filtered, heard = state["lines"], state["filtered"], []
    for start in range(0, samples, length):
        entering = drive[..., start : start + length]
        size = entering.shape[-1]
        read = lines.gather(-1, places[:, :, :size])
        smooth = _smoothed(read, pole, filtered)
        out = high[..., None] * read + (low - high)[..., None] * smooth
        lines = torch.cat([lines[..., size:], entering + mixing @ out], dim=-1)
        filtered = smooth[..., -1]
        heard.append(out)
    return torch.cat(heard, dim=-1), {"lines": lines, "filtered": filtered}


def _smoothed(read: Tensor, pole: Tensor, before: Tensor) -> Tensor:
    """Solve l[n] = (1 - p) x[n] + p l[n - 1] from l[-1] = `before`, by doubling strides.

    (Hillis and Steele, Data parallel algorithms, 1986.)
    """
    value = torch.cat([before[..., None], (1 - pole)[..., None] * read], dim=-1)
    factor, stride = pole[..., None], 1
    while stride < value.shape[-1]:
        value = value + factor * torch.nn.functional.pad(value, (stride, -stride))
        factor, stride = factor * factor, 2 * stride
    return value[..., 1:]


def _compiled(
    drive: Tensor, delays: Sequence[int], parts: Sequence[Tensor], state: NetworkState
) -> tuple[Tensor, NetworkState]:
    longest = state["lines"].shape[-1]
    joined = torch.cat([state["lines"], drive], dim=-1)
    lengths = torch.tensor(delays, dtype=torch.int64)
    lines, filtered, heard = _Network.apply(joined, state["filtered"], lengths, *parts)  # type: ignore[no-untyped-call]
    kept = lines[..., lines.shape[-1] - longest :].clone()
    return heard, {"lines": kept, "filtered": filtered[..., -1].clone()}


class _Network(torch.autograd.Function):
    """Run the compiled kernel on lines that hold the past and then the drive [batch, lines, past + n]."""

    @staticmethod
    def forward(ctx: Any, joined: Tensor, filtered: Tensor, delays: Tensor, *parts: Tensor) -> Any:
        from fxkit_signal.compiled.feedback_delay_network import run_network

        controls = [part.contiguous() for part in parts]
        shape = (*joined.shape[:2], joined.shape[-1] - int(delays.max()))
        smooth = joined.new_empty(*shape[:2], shape[2] + 1)
        smooth[..., 0] = filtered
        heard = joined.new_empty(shape)
        run_network(*_arrays(delays, *controls, joined, smooth, heard))
        # Filled in place: the lines are the largest array by far.
        ctx.mark_dirty(joined)
        ctx.save_for_backward(delays, *controls, joined, smooth, heard)
        return joined, smooth, heard

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        from fxkit_signal.compiled.feedback_delay_network import run_network_adjoint

        saved = ctx.saved_tensors
        carried = [grad.clone(memory_format=torch.contiguous_format) for grad in grads]
        found = [torch.zeros_like(part) for part in saved[1:5]]
        run_network_adjoint(*_arrays(*saved, *carried, *found))
        return carried[0], carried[1][..., 0], None, *found


def _arrays(*tensors: Tensor) -> list[Any]:
    return [tensor.numpy() for tensor in tensors]
