"""A cascade of first-order allpass filters that move together, with feedback around it.

Each stage is a rotation of its input u and its state z (Gray and Markel, A normalized digital filter
structure, 1975), with c and s the cosine and sine of one angle:

    v = c u + s z,   z' = s u - c z            H = (c + z^-1) / (1 + c z^-1)

A rotation keeps the energy however fast the angle moves, so that a loop with a gain below 1 is stable
under any movement. What is fed back is the output one sample ago.
"""

from __future__ import annotations

import math
from typing import Any, TypedDict

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.dispatch import compiled_for


class ShifterState(TypedDict):
    """Hold the stages [batch, channels, stages] and the last output [batch, channels], float64."""

    stages: Tensor
    out: Tensor


def phase_shifter(
    audio: Tensor,
    frequency: Tensor,
    feedback: Tensor,
    state: ShifterState | None = None,
    *,
    stages: int,
    sample_rate: float,
) -> tuple[Tensor, ShifterState]:
    """Turn the phase by 90 degrees per stage at a frequency that may move at every sample.

    `audio` [batch, channels, samples]; `frequency` in Hz, between 0 and half of `sample_rate`, and
    `feedback`, magnitude below 1, are [batch, 1 or channels, 1 or samples]. Returns the shape and type of
    `audio`, and the next state. Arithmetic is in float64. Differentiable once.
    """
    tangent = torch.tan(math.pi / sample_rate * frequency.double())
    cosine = (tangent - 1) / (tangent + 1)
    sine = 2 * tangent.sqrt() / (1 + tangent)
    if state is None:
        rest = audio.new_zeros((*audio.shape[:2], stages + 1), dtype=torch.float64)
        state = {"stages": rest[..., 1:], "out": rest[..., 0]}
    series = (audio, cosine, sine, feedback)
    rows = [part.double().expand(audio.shape).flatten(0, 1) for part in series]
    rows += [state["stages"].flatten(0, 1), state["out"].flatten()]
    run: Any = _compiled if compiled_for(audio, frequency, feedback) else _scanned
    held, out = run(*rows)
    following: ShifterState = {
        "stages": held.view_as(state["stages"]), "out": out[:, -1].view_as(state["out"])
    }  # fmt: skip
    return out[:, 1:].view(audio.shape).to(audio.dtype), following


def _compiled(*given: Tensor) -> tuple[Tensor, Tensor]:
    if torch.is_grad_enabled() and any(part.requires_grad for part in given):
        held, out = _Shifter.apply(*given)  # type: ignore[no-untyped-call]
        return held, out
    stages, out = _filled([part.contiguous() for part in given[:4]], *given[4:])
    return stages[:, -1].clone(), out


def _filled(signals: list[Tensor], held: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Run the kernel; return the states [rows, 1 + samples, stages] and the output behind its state."""
    from fxkit_signal.compiled.phase_shifter import run_shifter

    rows, samples = signals[0].shape
    stages, out = held.new_empty(rows, samples + 1, held.shape[1]), held.new_empty(rows, samples + 1)
    stages[:, 0], out[:, 0] = held, last
    run_shifter(*[part.numpy() for part in (*signals, stages, out)])
    return stages, out


class _Shifter(torch.autograd.Function):
    """Run the compiled kernel on rows: audio and controls [rows, samples], state [rows, stages], [rows]."""

    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> tuple[Tensor, Tensor]:
        signals = [part.contiguous() for part in given[:4]]
        stages, out = _filled(signals, *given[4:])
        ctx.save_for_backward(*signals, stages, out)
        return stages[:, -1].clone(), out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_stages: Tensor, to_out: Tensor) -> tuple[Tensor, ...]:
        from fxkit_signal.compiled.phase_shifter import run_shifter_adjoint

        saved = ctx.saved_tensors
        carried = [grad.clone(memory_format=torch.contiguous_format) for grad in (to_stages, to_out)]
        found = [torch.empty_like(part) for part in saved[:4]]
        run_shifter_adjoint(*[part.numpy() for part in (*saved, *carried, *found)])
        return (*found, carried[0], carried[1][:, 0])


def _scanned(
    audio: Tensor, cosine: Tensor, sine: Tensor, feedback: Tensor, held: Tensor, last: Tensor
) -> tuple[Tensor, Tensor]:
    """Do the same by torch operations: a linear system whose matrix moves, by a parallel prefix sum."""
    order = held.shape[1] + 1
    basis = torch.eye(order + 1, dtype=audio.dtype, device=audio.device)
    c, s = cosine[..., None], sine[..., None]
    # Every quantity is a row over (states, last output, audio).
    value = basis[order] + feedback[..., None] * basis[order - 1]
    rows = []
    for stage in basis[: order - 1]:
        rows.append(s * value - c * stage)
        value = c * value + s * stage
    system = torch.stack([*rows, value], dim=-2)
    drive = system[..., order] * audio[..., None]
    start = torch.cat([held, last[:, None]], dim=1)
    if not audio.shape[-1]:
        return held, last[:, None]
    first = drive[:, :1] + (system[:, :1, :, :order] @ start[:, None, :, None])[..., 0]
    states = _prefix(system[..., :order], torch.cat([first, drive[:, 1:]], dim=1))
    return states[:, -1, :-1], torch.cat([last[:, None], states[..., -1]], dim=1)


def _prefix(step: Tensor, drive: Tensor) -> Tensor:
    """Solve v[n] = step[n] v[n - 1] + drive[n] over axis 1; `step` [rows, samples, order, order].

    Neighbours are merged into one step, the series half as long is solved, and the steps between are
    filled in (Blelloch, Prefix sums and their applications, 1990).
    """
    count = drive.shape[1]
    if count == 1:
        return drive
    pairs = count // 2
    early, late = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)
    merged = _apply(step[:, late], drive[:, early]) + drive[:, late]
    odd = _prefix(step[:, late] @ step[:, early], merged)
    rest = drive[:, 2::2] + _apply(step[:, 2::2], odd[:, : (count - 1) // 2])
    even = torch.cat([drive[:, :1], rest], dim=1)
    joined = torch.stack([even[:, :pairs], odd], dim=2).flatten(1, 2)
    return torch.cat([joined, even[:, pairs:]], dim=1)


def _apply(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector[..., None])[..., 0]
