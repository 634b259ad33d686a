"""Change of sample rate without delay."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_ZERO_CROSSINGS = 64
_CUTOFF = 0.95
_KAISER_BETA = 10.0


def resample(audio: Tensor, rate: int, new_rate: int) -> Tensor:
    """Convert audio from `rate` to `new_rate` (whole Hz), band-limited and in time.

    `audio` [..., samples]; returns ceil(samples * new_rate / rate) samples of the same type, sample k at
    time k / new_rate. Kaiser-windowed sinc in polyphase form: flat to 0.9 of the lower Nyquist
    frequency, 100 dB down from there on upwards. Not differentiable.

    Raises `ValueError` when a rate is not positive.
    """
    if rate <= 0 or new_rate <= 0:
        raise ValueError(f"sample rates must be positive, got {rate} and {new_rate}")
    if rate == new_rate or audio.numel() == 0:
        return audio
    from scipy.signal import firwin, resample_poly

    common = math.gcd(rate, new_rate)
    up, down = new_rate // common, rate // common
    widest = max(up, down)
    taps = firwin(2 * _ZERO_CROSSINGS * widest + 1, _CUTOFF / widest, window=("kaiser", _KAISER_BETA))
    converted = resample_poly(audio.detach().cpu().double().numpy(), up, down, axis=-1, window=taps)
    return torch.from_numpy(converted).to(audio)
