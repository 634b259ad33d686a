"""A bank of diagonal state-space systems, one per channel, run exactly, many samples at a time.

Each channel has its own complex modes: s[n] = p s[n - 1] + x[n] and y[n] = Re(sum of g s[n]) + d x[n]. That
is S4D (Gu, Gupta, Goel and Ré, "On the parameterization and initialization of diagonal state space models",
2022) once its step is discretised. Taking L samples as one step, Y[k] = T X[k] + O S[k] and S[k + 1] =
p^L S[k] + R X[k]: three matrix products over all steps at once and a recurrence L times shorter than the
signal. Neither a kernel nor a state sequence is ever as long as the signal times the modes.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.diagonal_scan import scan, scan_back
from fxkit_signal.dispatch import compiled_for

# Steps as long as the state is wide keep the states as small as the signal; the bounds were measured.
SHORTEST, LONGEST = 32, 256
# Matrix products do more per second, and cost more to start.
SHORT_BLOCK = 1024
# Bytes of states that are worked on together on a processor.
SHARE = 1 << 18


@attrs.frozen(kw_only=True, eq=False)
class Lifted:
    """Hold what a bank does with `length` samples at a time.

    `response` [channels, L, L] from input to output samples, `observe` [channels, 2 modes, L] from the state
    before to the output, `reach` [channels, L, 2 modes] from the input to the state; `powers` float64
    [L + 1, channels, 2 modes] of the poles; `gain` [channels, 2 modes] and `direct` [channels] as given,
    float64. States are [real | imaginary].
    """

    response: Tensor
    observe: Tensor
    reach: Tensor
    powers: Tensor
    gain: Tensor
    direct: Tensor

    @property
    def length(self) -> int:
        """Return how many samples one step takes."""
        return int(self.response.shape[-1])


def lift(log_pole: Tensor, gain: Tensor, direct: Tensor, dtype: torch.dtype = torch.float32) -> Lifted:
    """Work out what steps of many samples need; differentiable with respect to all three.

    `log_pole` and `gain` complex128 [channels, modes]: p = exp(log_pole), and g; `direct` [channels]. For
    real poles in conjugate pairs give one of each pair and twice its gain. `dtype` is that of the audio.
    """
    modes = log_pole.shape[1]
    length = min(LONGEST, max(SHORTEST, 1 << (2 * modes - 1).bit_length()))
    powers = _powers(log_pole, length)
    onward = gain[None] * powers
    response = onward[:-1].real.sum(-1).mT
    response = torch.cat([response[:, :1] + direct.double()[:, None], response[:, 1:]], dim=1)
    observe = torch.cat([onward[1:].real, -onward[1:].imag], dim=-1).permute(1, 2, 0)
    pairs = torch.cat([powers.real, powers.imag], dim=-1)
    reach = pairs[:-1].flip(0).transpose(0, 1)
    return Lifted(
        response=_toeplitz(response).to(dtype),
        observe=observe.to(dtype).contiguous(),
        reach=reach.to(dtype).contiguous(),
        powers=pairs,
        gain=torch.cat([gain.real, gain.imag], dim=-1).double(),
        direct=direct.double(),
    )


def _powers(log_pole: Tensor, length: int) -> Tensor:
    """Return exp(k log_pole) for k = 0 ... length, [length + 1, ...], from few exponentials."""
    fine = 1 << (length.bit_length() // 2)
    count = torch.arange(fine, dtype=torch.float64, device=log_pole.device)
    steps = torch.arange(length // fine + 1, dtype=torch.float64, device=log_pole.device)
    low = (count[:, None, None] * log_pole).exp()
    high = (fine * steps[:, None, None] * log_pole).exp()
    return (high[:, None] * low[None]).flatten(0, 1)[: length + 1]


def _toeplitz(response: Tensor) -> Tensor:
    """Lay [channels, L] out as [channels, L, L] with [i, j] = response[j - i], zero below the diagonal."""
    length = response.shape[1]
    strips: Tensor = torch.nn.functional.pad(response, (length - 1, 0)).unfold(1, length, 1)
    return strips.flip(1)


def diagonal_bank(audio: Tensor, lifted: Lifted, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Run the bank over audio; return output and end state.

    `audio` [batch, channels, samples] in the type that `lifted` was made for; `state` float64 [batch,
    channels, 2 modes], None for zeros. Differentiable once with respect to audio, state and what `lifted`
    came from. Any split into blocks gives the same output.
    """
    batch, channels, samples = audio.shape
    if state is None:
        state = lifted.powers.new_zeros(batch, channels, lifted.powers.shape[-1])
    if not samples:
        return audio, state
    if samples <= SHORT_BLOCK and _stands(audio, lifted, state) and compiled_for(audio, lifted.gain, state):
        return _by_sample(audio, lifted, state)
    whole = samples // lifted.length * lifted.length
    if not whole:
        return _rest(audio, lifted, state)
    with torch.autocast(audio.device.type, enabled=False):
        output, state = _whole(audio, whole, lifted, state)
    if whole == samples:
        return output, state
    last, state = _rest(audio[..., whole:], lifted, state)
    return torch.cat([output, last], dim=-1), state


def settled(log_pole: Tensor, level: Tensor) -> Tensor:
    """Return the state float64 [batch, channels, 2 modes] after a `level` [batch, channels] for ever.

    Every pole must lie inside the unit circle.
    """
    state = level.double()[..., None] / (1 - log_pole.exp())
    return torch.cat([state.real, state.imag], dim=-1)


def _rest(audio: Tensor, lifted: Lifted, state: Tensor) -> tuple[Tensor, Tensor]:
    """Run fewer samples than a step has."""
    count = audio.shape[-1]
    with torch.autocast(audio.device.type, enabled=False):
        rows, before = audio[..., None, :], state.to(audio.dtype)[..., None, :]
        output = rows @ lifted.response[:, :count, :count] + before @ lifted.observe[..., :count]
        reached = rows @ lifted.reach[:, lifted.length - count :]
        (real, imaginary), (re, im) = lifted.powers[count].chunk(2, dim=-1), state.chunk(2, dim=-1)
        carried = torch.cat([real * re - imaginary * im, real * im + imaginary * re], dim=-1)
    return output[..., 0, :], carried + reached[..., 0, :].double()


def _stands(audio: Tensor, lifted: Lifted, state: Tensor) -> bool:
    """Tell whether no gradient is wanted."""
    given = audio, state, lifted.powers, lifted.gain, lifted.direct
    return not torch.is_grad_enabled() or not any(tensor.requires_grad for tensor in given)


def _by_sample(audio: Tensor, lifted: Lifted, state: Tensor) -> tuple[Tensor, Tensor]:
    from fxkit_signal.compiled.diagonal_scan import run_bank

    end, x = state.contiguous().numpy().copy(), audio.detach().contiguous().numpy()
    y = np.empty_like(x)
    pole, gain, direct = lifted.powers[1].detach(), lifted.gain.detach(), lifted.direct.detach()
    rows = x.reshape(-1, x.shape[-1]), y.reshape(-1, x.shape[-1])
    run_bank(*rows, pole.numpy(), gain.numpy(), direct.numpy(), end.reshape(-1, end.shape[-1]))
    return torch.from_numpy(y), torch.from_numpy(end)


def _whole(audio: Tensor, whole: int, lifted: Lifted, state: Tensor) -> tuple[Tensor, Tensor]:
    """Run as many samples as whole steps have."""
    batch, channels, _ = audio.shape
    steps = audio[..., :whole].reshape(batch * channels, -1, lifted.length)
    tables = [
        table.expand(batch, *table.shape).flatten(0, 1)
        for table in (lifted.response, lifted.observe, lifted.reach, lifted.powers[-1])
    ]
    output, end = _Steps.apply(steps, *tables, state.flatten(0, 1))  # type: ignore[no-untyped-call]
    return output.view(batch, channels, whole), end.view_as(state)


class _Steps(torch.autograd.Function):
    """Run Y = X T + S O, S' = p S + X R over the steps of [rows, steps, L], each row with its own tables.

    A few rows at a time, so that states stay in the cache; the way back makes them again.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, response: Tensor, observe: Tensor, reach: Tensor, power: Tensor, start: Tensor
    ) -> tuple[Tensor, Tensor]:
        output, ends = torch.empty_like(x, memory_format=torch.contiguous_format), []
        for at in _shares(x, power):
            states, end = scan(torch.bmm(x[at], reach[at]), power[at], start[at], late=True)
            torch.bmm(x[at], response[at], out=output[at])
            output[at].baddbmm_(states, observe[at])
            ends.append(end)
        ctx.save_for_backward(x, response, observe, reach, power, start)
        return output, torch.cat(ends)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_end: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        grads = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for tensor in saved]
        for at in _shares(saved[0], saved[4]):
            x, response, observe, reach, power, start = (tensor[at] for tensor in saved)
            grad_x, to_response, to_observe, to_reach, to_power, to_start = (grad[at] for grad in grads)
            states, _ = scan(torch.bmm(x, reach), power, start, late=True)
            into = torch.bmm(grad_y[at], observe.mT)
            drive, from_start, from_power = scan_back(into, power, grad_end[at], states, late=True)
            torch.bmm(grad_y[at], response.mT, out=grad_x)
            grad_x.baddbmm_(drive, reach.mT)
            torch.bmm(x.mT, grad_y[at], out=to_response)
            torch.bmm(states.mT, grad_y[at], out=to_observe)
            torch.bmm(x.mT, drive, out=to_reach)
            to_power.copy_(from_power)
            to_start.copy_(from_start)
        return tuple(grads)


def _shares(x: Tensor, power: Tensor) -> list[slice]:
    """Cut the rows into shares whose states fit into the cache; an accelerator takes all at once."""
    row = x.shape[1] * power.shape[1] * x.element_size()
    step = max(1, SHARE // row) if x.is_cpu else len(x)
    return [slice(first, first + step) for first in range(0, len(x), step)]
