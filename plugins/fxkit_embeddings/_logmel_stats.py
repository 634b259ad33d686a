"""The module behind `logmel-stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from fxkit_signal.mel import mel_bands

if TYPE_CHECKING:
    from fxkit_embeddings.logmel_stats import LogmelStats

_FFT_SECONDS = 0.046
_LOWEST = 40.0


class LogmelStatsModule(nn.Module):
    """Turn windows into means and standard deviations of log-mel bands."""

    hann: torch.Tensor
    weights: torch.Tensor

    def __init__(self, spec: LogmelStats, rate: int) -> None:
        super().__init__()
        top = min(spec.top, rate / 2)
        size = 1 << (round(_FFT_SECONDS * rate) - 1).bit_length()
        self.samples = self.hop = round(spec.window * rate)
        self.provenance = (
            f"logmel-stats-v1: {spec.bands} bands, {_LOWEST:g} to {top:g} Hz, FFT {size},"
            f" windows of {self.samples} samples at {rate} Hz, floor {spec.floor:g} dBFS"
        )
        window = torch.hann_window(size, dtype=torch.float64)
        self.floor = 10 ** (spec.floor / 20) * float(window.sum()) / 2
        self.register_buffer("hann", window, persistent=False)
        self.register_buffer("weights", mel_bands(spec.bands, size, rate, _LOWEST, top), persistent=False)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Map windows [batch, channels, samples] to vectors [batch, 2 * bands]; channels are averaged."""
        mono = audio.double().mean(dim=1)
        size = self.hann.shape[0]
        frames = nn.functional.pad(mono, (0, max(0, size - mono.shape[-1]))).unfold(-1, size, size // 4)
        magnitudes = torch.fft.rfft(frames * self.hann).abs() + self.floor
        bands = (magnitudes @ self.weights).log()
        return torch.cat((bands.mean(dim=1), bands.std(dim=1, correction=0)), dim=1)
