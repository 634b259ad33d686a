"""The mel scale and its triangular bands."""

from __future__ import annotations

import torch
from torch import Tensor


def hz_to_mel(frequency: Tensor) -> Tensor:
    """Return 2595 log10(1 + f / 700) of frequencies in Hz (O'Shaughnessy, Speech Communication, 1987)."""
    return 2595.0 * torch.log10(1.0 + frequency / 700.0)


def mel_to_hz(mel: Tensor) -> Tensor:
    """Return the frequencies in Hz of points on the mel scale."""
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def mel_bands(bands: int, size: int, rate: float, low: float, high: float) -> Tensor:
    """Return weights [size // 2 + 1, bands], float64, of triangles spaced evenly in mel.

    `size` is the FFT size, `rate` the sample rate in Hz; the first triangle begins at `low` and the last
    ends at `high`, in Hz. Each has the same area over frequency (Slaney, Auditory Toolbox, 1998): noise
    of one density gives every band the same. Raises `ValueError` when a band is so narrow that no bin of
    the FFT lies in it.
    """
    ends = hz_to_mel(torch.tensor([low, high], dtype=torch.float64))
    edges = mel_to_hz(torch.linspace(float(ends[0]), float(ends[1]), bands + 2, dtype=torch.float64))
    bins = torch.fft.rfftfreq(size, 1 / rate, dtype=torch.float64)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = torch.minimum(rising, falling).clamp(min=0)
    empty = int((weights.sum(dim=0) == 0).sum())
    if empty:
        raise ValueError(
            f"{empty} of {bands} mel bands hold no bin of an FFT of {size} samples;"
            " use fewer bands or a longer FFT"
        )
    return weights * (2.0 * rate / size / (edges[2:] - edges[:-2]))
