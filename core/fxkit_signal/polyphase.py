"""Change of sample rate in blocks, by FIR filters in polyphase form.

Inserting zeros, filtering, and keeping some samples is one sparse linear map of input to output, the
same for every period of the two rates (Crochiere and Rabiner, Multirate Digital Signal Processing,
1983, section 3.3). Here it is a dense matrix that takes a frame of input, with the past that the
filter reaches, to the output that falls into it: few, large operations, for blocks of any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypedDict

import torch
from torch import Tensor

from fxkit_signal.dispatch import compiled_for
from fxkit_signal.halfband import kaiser_beta

_SHORTEST_FRAME = 16
_LONGEST_CALL = 4096


class Polyphase(NamedTuple):
    """Hold a rate change: `matrix` [outputs, past + inputs] takes a frame to what falls into it.

    Build it with `polyphase`.
    """

    matrix: Tensor
    past: int

    @property
    def inputs(self) -> int:
        """Return the input samples per frame."""
        return int(self.matrix.shape[1]) - self.past

    @property
    def outputs(self) -> int:
        """Return the output samples per frame."""
        return int(self.matrix.shape[0])


def polyphase(taps: Sequence[float] | Tensor, up: int, down: int, *, early: int = 0) -> Polyphase:
    """Build the rate change by `up` / `down` from taps that run at `up` times the input rate.

    Output m is sum over j of taps[j] u[m * down + early - j], with u the input, `up - 1` zeros inserted
    after each sample. With `early` up to down - 1 a decimator may use the samples that end a group.
    """
    values = torch.as_tensor(taps, dtype=torch.float64)
    periods = -(-_SHORTEST_FRAME // min(up, down))
    past = max(0, -((early + 1 - len(values)) // up))
    inputs = torch.arange(-past, periods * down)
    outputs = torch.arange(periods * up) * down + early
    index = outputs[:, None] - up * inputs
    inside = (index >= 0) & (index < len(values))
    return Polyphase(torch.where(inside, values[index.clamp(0, len(values) - 1)], 0.0), past)


def windowed_sinc(cutoff: float, length: int) -> Tensor:
    """Design a low-pass of gain 1, -6 dB at `cutoff` as a share of the rate, of odd `length`; float64.

    The same design as `fxkit_signal.halfband.lowpass`, for thousands of taps.
    """
    half = length // 2
    place = torch.arange(-half, half + 1, dtype=torch.float64)
    window = torch.special.i0(kaiser_beta() * (1 - (place / (half + 1)) ** 2).sqrt())
    taps: Tensor = torch.sinc(2 * cutoff * place) * window
    return taps / taps.sum()


def change_rate(audio: Tensor, change: Polyphase, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Change the rate by a whole factor, up or down.

    `audio` [batch, channels, samples], on the way down with samples a multiple of the factor. `state`
    [batch, channels, past] is the audio before, None means silence. Returns the audio at the other rate and
    the next state. Short blocks that need no gradient take one compiled call.
    """
    samples = audio.shape[-1]
    line = audio.new_zeros(*audio.shape[:2], change.past) if state is None else state
    if samples <= _LONGEST_CALL and _fits_compiled(audio, line, change.matrix):
        return _compiled(audio, line, change)
    joined = torch.cat([line, audio], dim=-1)
    changed = _through(joined, change, samples)
    return changed[..., : samples * change.outputs // change.inputs], joined[..., samples:].clone()


def _fits_compiled(audio: Tensor, line: Tensor, matrix: Tensor) -> bool:
    if torch.is_grad_enabled() and (audio.requires_grad or line.requires_grad or matrix.requires_grad):
        return False
    return audio.dtype == line.dtype == matrix.dtype and compiled_for(audio, line, matrix)


def _compiled(audio: Tensor, line: Tensor, change: Polyphase) -> tuple[Tensor, Tensor]:
    from fxkit_signal.compiled.polyphase import run_rate_change

    out = audio.new_empty(*audio.shape[:2], audio.shape[-1] * change.outputs // change.inputs)
    following = torch.empty_like(line, memory_format=torch.contiguous_format)
    given = line.detach().contiguous().numpy(), audio.detach().contiguous().numpy(), change.matrix.numpy()
    run_rate_change(*given, out.numpy(), following.numpy())
    return out, following


def _through(joined: Tensor, change: Polyphase, samples: int) -> Tensor:
    frames = -(-samples // change.inputs)
    if samples % change.inputs:
        joined = torch.nn.functional.pad(joined, (0, frames * change.inputs - samples))
    if not frames:
        return joined[..., :0]
    framed = joined.unfold(-1, change.matrix.shape[1], change.inputs)
    changed: Tensor = framed @ change.matrix.mT
    return changed.flatten(-2)


class PhaseState(TypedDict):
    """Hold where a rate change stands: input and output samples since its frame began, and the past."""

    taken: Tensor
    given: Tensor
    past: Tensor


def change_rate_by_ratio(
    audio: Tensor, change: Polyphase, samples: int, state: PhaseState | None = None
) -> tuple[Tensor, PhaseState]:
    """Change the rate by a ratio; return `samples` output samples of [batch, channels, any].

    They must not reach beyond the input: output m needs the input up to floor(m * down / up), and may lag
    behind it by a frame at most. `state` None means silence before the start. Any split into blocks
    gives the same output.
    """
    kept = change.past + 2 * change.inputs
    if state is None:
        zero = torch.zeros((), dtype=torch.int64)
        state = {"taken": zero, "given": zero, "past": audio.new_zeros(*audio.shape[:2], kept)}
    taken, given = int(state["taken"]), int(state["given"])
    joined = torch.cat([state["past"], audio], dim=-1)
    begin = kept - taken - change.past
    frames = -(-(given + samples) // change.outputs)
    lacking = max(0, begin + change.past + frames * change.inputs - joined.shape[-1])
    reach = joined[..., begin : begin + change.past + frames * change.inputs]
    changed = _through(torch.nn.functional.pad(reach, (0, lacking)), change, frames * change.inputs)
    done = (given + samples) // change.outputs
    following: PhaseState = {
        "taken": torch.tensor(taken + audio.shape[-1] - done * change.inputs),
        "given": torch.tensor(given + samples - done * change.outputs),
        "past": joined[..., joined.shape[-1] - kept :].clone(),
    }
    return changed[..., given : given + samples], following
