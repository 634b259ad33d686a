"""White noise as a function of seed and position, the same however a signal is cut into blocks."""

from __future__ import annotations

import torch
from torch import Tensor

_WORD = 0xFFFFFFFF


def hashed_noise(seeds: Tensor, start: int, samples: int) -> Tensor:
    """Return uniform white noise in [-1, 1), one independent series per seed.

    `seeds` int64 [batch]; the samples are those at positions start ... start + samples - 1 of each
    series, which repeats after 2^32. Returns float32 [batch, samples] on the device of `seeds`. Each
    sample is a hash of its counter (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011)
    by Wellons' lowbias32 mixer (2018).
    """
    offset = _mix(_mix(seeds & _WORD) ^ (seeds >> 32 & _WORD))
    stride = _mix(offset ^ 0x9E3779B9) | 1
    position = torch.arange(start, start + samples, device=seeds.device) & _WORD
    bits = _mix(position * stride[:, None] + offset[:, None] & _WORD)
    return (bits >> 8).to(torch.float32) * 2.0**-23 - 1


def _mix(word: Tensor) -> Tensor:
    """Scramble 32-bit words held in int64; products that wrap keep their low bits."""
    word = (word ^ (word >> 16)) * 0x7FEB352D & _WORD
    word = (word ^ (word >> 15)) * 0x846CA68B & _WORD
    return word ^ (word >> 16)
