"""Split audio into bands that add up to it again, but for its phase."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fxkit_signal.biquad import sosfilt_varying

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
    splits = frequency.shape[1]
    low, high, turn = range(splits), range(splits, 2 * splits), range(2 * splits, 3 * splits)
    rows = []
    for band in range(splits + 1):
        row = [split for split in high[:band] for _ in range(2)]
        row += [*low[band : band + 1], *low[band : band + 1], *turn[band + 1 :]]
        rows.append(row + [3 * splits] * (max(2 * splits, splits + 1) - len(row)))
    return _sections(frequency.double(), rate)[:, torch.tensor(rows)].transpose(2, 3)


def _sections(frequency: Tensor, rate: float) -> Tensor:
    """Return Butterworth low-passes, high-passes, the all-passes that LR filters sum to, and a neutral one.

    [batch, 3 splits + 1, frames, 6], by the bilinear transform with the split in its place.
    """
    edge = torch.tan(frequency * (math.pi / rate))
    square, damped = edge * edge, edge / Q
    norm = 1 / (1 + damped + square)
    a1, a2, one = 2 * (square - 1) * norm, (1 - damped + square) * norm, torch.ones_like(norm)
    passed = square * norm
    low = torch.stack((passed, 2 * passed, passed, one, a1, a2), dim=-1)
    high = torch.stack((norm, -2 * norm, norm, one, a1, a2), dim=-1)
    turn = torch.stack((a2, a1, one, one, a1, a2), dim=-1)
    neutral = turn.new_tensor([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]).expand_as(turn[:, :1])
    return torch.cat((low, high, turn, neutral), dim=1)
