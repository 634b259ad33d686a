"""Perceptual weightings as causal filters: what they are, and how they run with state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fxkit_signal.biquad import sosfilt
from fxkit_signal.convolution import convolve
from fxkit_signal.loudness import a_weighting, k_weighting
from fxkit_signal.minimum_phase import grid_points, minimum_phase

Weighting = Callable[[Tensor], tuple[Tensor, Any]]

_SECONDS = 0.08
_LEAST_GAIN = 1e-6


class PreEmphasis:
    """Filter by 1 - a z^-1, which lifts high frequencies."""

    def __init__(self, coefficient: float) -> None:
        self.coefficient = coefficient

    def __call__(self, audio: Tensor, state: Any = None) -> tuple[Tensor, Tensor]:
        """Filter `audio` [batch, channels, samples]; the state is its last sample."""
        last = torch.zeros_like(audio[..., :1]) if state is None else state
        joined = torch.cat((last, audio), dim=-1)
        return joined[..., 1:] - self.coefficient * joined[..., :-1], joined[..., -1:]


class KWeighting:
    """Filter as ITU-R BS.1770 weighs loudness: a high shelf, then a low cut."""

    def __init__(self, rate: float) -> None:
        self.sections = k_weighting(rate)[None]

    def __call__(self, audio: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Filter `audio` [batch, channels, samples]; the state is that of the two sections."""
        return sosfilt(audio, self.sections.to(audio.device), state)


class AWeighting:
    """Filter by the A-weighting of IEC 61672-1, as a minimum-phase response up to half the sample rate.

    A bilinear transform of the analogue filter would fall short of the curve by several dB at the top.
    """

    def __init__(self, rate: float) -> None:
        taps = 1 << (round(_SECONDS * rate) - 1).bit_length()
        frequency = torch.linspace(0.0, rate / 2, grid_points(taps), dtype=torch.float64)
        self.taps = minimum_phase(a_weighting(frequency).clamp(min=_LEAST_GAIN).log(), taps)[None, None]

    def __call__(self, audio: Tensor, state: Any = None) -> tuple[Tensor, Tensor]:
        """Filter `audio` [batch, channels, samples]; the state is its past."""
        return convolve(audio, self.taps.to(audio), state)


def weighting(name: str, rate: float) -> Weighting:
    """Return the filter called "a-weighting" or "k-weighting", at a sample rate in Hz."""
    made: dict[str, Callable[[float], Weighting]] = {"a-weighting": AWeighting, "k-weighting": KWeighting}
    return made[name](rate)
