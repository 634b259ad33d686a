"""Make noise with the average spectrum of recordings and the loudness of one."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from fxkit_signal.convolution import convolve

_FFT, _HOP = 2048, 512
_QUIET = 1e-12


def average_spectrum(recordings: Iterable[Tensor]) -> Tensor:
    """Return the magnitude of the mean power spectrum [bins] of recordings [channels, samples].

    Periodograms of overlapping Hann windows, averaged (Welch, The use of fast Fourier transform for the
    estimation of power spectra, 1967).
    """
    window = torch.hann_window(_FFT)
    power, frames = torch.zeros(_FFT // 2 + 1, dtype=torch.float64), 0
    for audio in recordings:
        cut = _filled(audio, _FFT).unfold(-1, _FFT, _HOP)
        power += torch.fft.rfft(cut * window).abs().double().square().sum(dim=(0, 1))
        frames += cut.shape[0] * cut.shape[1]
    return (power / max(frames, 1)).sqrt()


def noise_like(audio: Tensor, spectrum: Tensor, seed: int = 0) -> Tensor:
    """Return noise of this spectrum whose level follows that of `audio` [channels, samples].

    Levels are root mean squares over 2048 samples, every 512. The same seed gives the same noise.
    """
    generator = torch.Generator().manual_seed(seed)
    white = torch.randn(audio.shape, generator=generator)
    response = torch.fft.irfft(spectrum).roll(_FFT // 2) * torch.hann_window(_FFT)
    shaped = convolve(white[None], response[None, None])[0][0]
    return shaped * (_level(audio) / _level(shaped).clamp(min=_QUIET))


def _level(audio: Tensor) -> Tensor:
    """Return the level of each channel, interpolated linearly between frames, [channels, samples]."""
    padded = torch.nn.functional.pad(audio.square(), (_FFT // 2, _FFT // 2 + _HOP))
    power = torch.nn.functional.avg_pool1d(padded, _FFT, _HOP)
    size = (power.shape[-1] - 1) * _HOP + 1
    stretched = torch.nn.functional.interpolate(power[None], size=size, mode="linear", align_corners=True)
    return stretched[0, :, : audio.shape[-1]].sqrt()


def _filled(audio: Tensor, samples: int) -> Tensor:
    return torch.nn.functional.pad(audio, (0, max(0, samples - audio.shape[-1])))
