"""Fewer bits and fewer samples: quantisation and sample-and-hold, with gradients that pass straight through.

A step has no slope where it has a derivative at all. What stands in for it is named at each function
(Bengio, Léonard and Courville, "Estimating or propagating gradients through stochastic neurons for
conditional computation", 2013, for the identity in place of the step).
"""

from __future__ import annotations

from typing import TypedDict

import torch
from torch import Tensor

# The phase of a hold is a 32-bit fraction: sums of whole numbers are the same in any split into blocks.
ONE = 2**32


class HoldState(TypedDict):
    """Hold where a sample-and-hold stands.

    `phase` int64 [batch] in units of 2^-32 hold; `pending` int64 [batch], samples of silence that the
    phase does not count yet; `held` [batch, channels, 1], the value held, or None before any.
    """

    phase: Tensor
    pending: Tensor
    held: Tensor | None


def quantise(audio: Tensor, bits: Tensor, rise: bool = False) -> Tensor:
    """Round to multiples of 2^(1 - bits), or with `rise` to the middle between two of them.

    `bits` > 0 broadcasts against `audio` and need not be whole. There is no clipping. The gradient to
    `audio` is that of the identity; that to `bits` follows from it: the error shrinks with the step.
    """
    levels = 2 ** (bits - 1)
    scaled = audio * levels
    steps = scaled.floor() + 0.5 if rise else scaled.round()
    return (scaled + (steps - scaled).detach()) / levels


def hold_at_rate(audio: Tensor, share: Tensor, state: HoldState | None = None) -> tuple[Tensor, HoldState]:
    """Take samples at a share of the sample rate and hold each until the next.

    `audio` [batch, channels, samples]; `share` [batch, 1, 1 or samples] in (0, 1] of the sample rate. A
    phase grows by the share at every sample; whenever it has passed a whole number, a sample is taken.
    The gradient to `audio` is the derivative; the one to `share` stands for a hold that shrinks towards
    the live input as the rate rises: d y / d log share = x - y.
    """
    batch, channels, samples = audio.shape
    if state is None:
        state = start_holds(torch.zeros(batch, dtype=torch.int64))
    step = (share.detach().double() * ONE).round().long()[:, 0].expand(batch, -1)
    phase = (state["phase"] + state["pending"] * step[:, 0].cpu()).to(audio.device)
    if samples == 0:
        return audio, state
    ahead = step.expand(-1, samples).cumsum(-1) + phase[:, None]
    before = ahead - step
    taken = before % ONE < step
    index = torch.arange(1, samples + 1, device=audio.device)
    anchors = torch.where(taken, index, 0).cummax(-1).values
    held = audio.new_zeros(batch, channels, 1) if state["held"] is None else state["held"].to(audio)
    known = torch.cat((held, audio), dim=-1)
    y = known.gather(-1, anchors[:, None].expand(-1, channels, -1))
    following: HoldState = {
        "phase": (ahead[:, -1] % ONE).cpu(),
        "pending": torch.zeros_like(state["pending"]),
        "held": y[..., -1:],
    }
    logarithm = share.log()
    return y + (audio - y).detach() * (logarithm - logarithm.detach()), following


def start_holds(starts: Tensor) -> HoldState:
    """Return the state of silence until the samples `starts` [batch], int64 on the CPU."""
    return {"phase": torch.zeros_like(starts), "pending": starts, "held": None}
