"""Spectra of windowed frames, and the adjoint of that map, at one resolution."""

from __future__ import annotations

import hashlib
import math

import torch
from torch import nn

from fxkit_losses._blocks import analysed, plain


class Resolution(nn.Module):
    """Hold FFT size (even) and hop in samples, the window, and the least power that a bin counts as.

    `bands` [bins, bands], if given, sums magnitudes up in bands. Windows shorter than the FFT are framed
    alone: the zeros around them would change the phase of a spectrum, not its magnitude.
    """

    window: torch.Tensor
    bands: torch.Tensor | None

    def __init__(
        self, size: int, hop: int, window: torch.Tensor, floor: float, bands: torch.Tensor | None = None
    ) -> None:
        super().__init__()
        self.size, self.hop, self.floor = size, hop, floor
        self.first = (size - window.shape[0]) // 2
        self.key = (size, hop, _content(window))
        self.bands_key = None if bands is None else (floor, _content(bands))
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("bands", bands, persistent=False)
        flat = torch.full((size // 2 + 1,), float(window.double().square().sum()) ** 0.5)
        self._noise = float(self.banded(flat).norm())

    def norm_of_noise(self, power: float, magnitudes: torch.Tensor) -> float:
        """Return the norm of white noise of a power, as long as `magnitudes` [channels, frames, ...] are."""
        count = magnitudes.shape[0] * magnitudes.shape[1]
        return self._noise * math.sqrt(power * count)

    def framed(self, signal: torch.Tensor) -> torch.Tensor:
        """Return what the windows see, [batch, channels, frames, window]; frame k is centred on k * hop.

        `signal` [batch, channels, samples] is reflected at its ends; it needs `size` / 2 + 1 samples.
        """
        half = self.size // 2
        padded = nn.functional.pad(signal, (half, half), mode="reflect")[..., self.first :]
        frames = signal.shape[-1] // self.hop + 1
        return padded.unfold(-1, self.window.shape[0], self.hop)[..., :frames, :]

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        """Return spectra [batch, channels, frames, bins] of `signal` [batch, channels, samples]."""
        spectra: torch.Tensor = torch.fft.rfft(self.framed(signal) * self.window.to(signal), n=self.size)
        return spectra

    @staticmethod
    def power(spectra: torch.Tensor) -> torch.Tensor:
        """Return the squared magnitude of each bin."""
        return spectra.real.square().addcmul_(spectra.imag, spectra.imag)

    def magnitudes(self, signal: torch.Tensor) -> torch.Tensor:
        """Return the magnitudes of `signal` in bins, without a floor and without a gradient."""
        still = signal.detach()
        return analysed(self, still) if plain(still) else self.power(self(still)).sqrt_()

    def floored(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """Return magnitudes of bins, none below the root of `floor`, summed up in bands if there are any."""
        return self.banded(magnitudes.clamp(min=self.floor**0.5))

    def banded(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """Sum magnitudes of bins up in bands, if there are any."""
        return magnitudes if self.bands is None else magnitudes @ self.bands.to(magnitudes)

    def unbanded(self, slope: torch.Tensor) -> torch.Tensor:
        """Return the derivative by each bin's magnitude, given that by each band's."""
        return slope if self.bands is None else slope @ self.bands.to(slope).T

    def adjoint(self, spectra: torch.Tensor, samples: int) -> torch.Tensor:
        """Return the gradient for a signal of `samples` samples, given that for its spectra.

        The gradient of the real and of the imaginary part stand in the parts of `spectra`, which is
        overwritten.
        """
        # One-sided spectra: irfft adds the mirror image of all bins but the first and the last.
        spectra[..., 1:-1] *= 0.5
        framed = torch.fft.irfft(spectra, n=self.size, norm="forward")[..., : self.window.shape[0]]
        whole = overlap_added(framed * self.window.to(framed), self.hop)
        padded = whole.new_zeros(*whole.shape[:-1], samples + self.size)
        end = min(padded.shape[-1], self.first + whole.shape[-1])
        padded[..., self.first : end] = whole[..., : end - self.first]
        return self.unreflected(padded)

    def unreflected(self, padded: torch.Tensor) -> torch.Tensor:
        """Return the gradient for a signal, given that for the signal with `size` / 2 samples at each end."""
        half = self.size // 2
        samples = padded.shape[-1] - self.size
        gradient = padded[..., half : half + samples].clone()
        gradient[..., 1 : half + 1] += padded[..., :half].flip(-1)
        gradient[..., samples - half - 1 : samples - 1] += padded[..., half + samples :].flip(-1)
        return gradient


def _content(tensor: torch.Tensor) -> bytes:
    return hashlib.sha256(tensor.double().numpy().tobytes()).digest()


def overlap_added(frames: torch.Tensor, hop: int) -> torch.Tensor:
    """Add frames [..., frames, length] up, each `hop` samples after the one before; zeros may trail."""
    count, length = frames.shape[-2:]
    parts = -(-length // hop)
    frames = nn.functional.pad(frames, (0, parts * hop - length))
    total = frames.new_zeros(*frames.shape[:-2], count + parts - 1, hop)
    for part in range(parts):
        total[..., part : part + count, :] += frames[..., part * hop : (part + 1) * hop]
    return total.flatten(-2)
