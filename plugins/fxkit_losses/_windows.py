"""Windows by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch

WindowName = Literal["hann", "hamming", "blackman", "bartlett"]

WINDOWS: dict[str, Callable[[int], torch.Tensor]] = {
    "hann": torch.hann_window,
    "hamming": torch.hamming_window,
    "blackman": torch.blackman_window,
    "bartlett": torch.bartlett_window,
}


def full_scale_floor(window: torch.Tensor, level: float) -> float:
    """Return the power of the bin that a sine of `level` dBFS peaks in, under a window."""
    return (10 ** (level / 20) * float(window.double().sum()) / 2) ** 2
