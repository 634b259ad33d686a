"""Integrated programme loudness of ITU-R BS.1770-4, with its two gates."""

from __future__ import annotations

import torch
from torch import Tensor

from fxkit_signal.biquad import sosfilt
from fxkit_signal.loudness import k_weighting, loudness_units

ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_BLOCK_SECONDS = 0.4
_OVERLAP = 4


def integrated_loudness(audio: Tensor, rate: float) -> Tensor:
    """Return the loudness of each item in LUFS, [batch]; at least -70, the absolute gate.

    `audio` [batch, channels, samples] at `rate` in Hz, with one or two channels (surround weights are
    not applied). Blocks last 0.4 s and overlap by three quarters; a shorter signal is one block, and
    what is left at the end that fills none is left out, as the standard has it. Differentiable where
    no block passes a gate.
    """
    weighted, _ = sosfilt(audio.double(), k_weighting(rate).to(audio.device)[None])
    power = weighted.square().sum(dim=1)
    block = min(round(_BLOCK_SECONDS * rate), power.shape[-1])
    blocks = power.unfold(-1, block, max(1, block // _OVERLAP)).mean(dim=-1)
    tiny = torch.finfo(torch.float64).tiny
    above = loudness_units(blocks.clamp(min=tiny)) > ABSOLUTE_GATE
    first = loudness_units(_mean(blocks, above).clamp(min=tiny)) + _RELATIVE_GATE
    heard = above & (loudness_units(blocks.clamp(min=tiny)) > first[:, None])
    loudness = loudness_units(_mean(blocks, heard).clamp(min=tiny))
    return loudness.clamp(min=ABSOLUTE_GATE).to(audio.dtype)


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    return (values * chosen).sum(dim=-1) / chosen.sum(dim=-1).clamp(min=1)
