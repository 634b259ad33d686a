"""Split audio into bands that add up to it again, but for its phase."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fxkit_signal.biquad import all_pass, high_pass, low_pass, sosfilt_varying

# Two Butterworth filters in series make one of Linkwitz and Riley.
Q = math.sqrt(0.5)


def linkwitz_riley(
    audio: Tensor,
    frequency: Tensor,
    rate: float,
    state: Tensor | None = None,
    *,
    hop: int = 1,
    offset: int = 0,
) -> tuple[Tensor, Tensor]:
    """Split audio at frequencies by filters of 24 dB per octave whose bands sum to an all-pass.

    `audio` [batch, channels, samples]; `frequency` in Hz, [batch or 1, splits, 1 or frames], one at least, in
    rising order if the bands are to follow one another; sample j lies at frame (offset + j) / `hop`. Returns
    bands [batch, splits + 1, channels, samples], lowest first, and the next state. The sum of the bands is
    flat: each also passes the all-pass filters of the splits above it (Linkwitz, "Active crossover networks
    for noncoincident drivers", J. Audio Eng. Soc. 24(1), 1976; D'Appolito, "Active realization of multiway
    all-pass crossover systems", J. Audio Eng. Soc. 35(4), 1987).
    """
    batch, channels, samples = audio.shape
    cascades = _cascades(frequency, rate)
    bands = cascades.shape[1]
    sos = cascades.expand(batch, -1, -1, -1, -1).flatten(0, 1)
    copies = audio[:, None].expand(-1, bands, -1, -1).reshape(batch * bands, channels, samples)
    split, after = sosfilt_varying(copies, sos, state, hop=hop, offset=offset)
    return split.view(batch, bands, channels, samples), after


def _cascades(frequency: Tensor, rate: float) -> Tensor:
    """Return one cascade per band and frame, [batch, bands, frames, sections, 6]."""
    q = torch.full_like(frequency, Q)
    low, high, turn = (design(frequency, q, rate).unbind(1) for design in (low_pass, high_pass, all_pass))
    splits = len(low)
    neutral = torch.zeros_like(low[0])
    neutral[..., 0] = neutral[..., 3] = 1.0
    bands = []
    for band in range(splits + 1):
        sections = [section for split in high[:band] for section in (split, split)]
        if band < splits:
            sections += [low[band], low[band], *turn[band + 1 :]]
        sections += [neutral] * (max(2 * splits, splits + 1) - len(sections))
        bands.append(torch.stack(sections, dim=-2))
    return torch.stack(bands, dim=1)
