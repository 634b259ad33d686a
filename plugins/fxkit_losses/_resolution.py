"""Spectra of windowed frames, and the adjoint of that map, at one resolution."""

from __future__ import annotations

import torch
from torch import nn


class Resolution(nn.Module):
    """Hold FFT size (even) and hop in samples, the window, and the least power that a bin counts as.

    Windows shorter than the FFT are framed alone: the zeros around them would change the phase of a
    spectrum, not its magnitude.
    """

    window: torch.Tensor

    def __init__(self, size: int, hop: int, window: torch.Tensor, floor: float) -> None:
        super().__init__()
        self.size, self.hop, self.floor = size, hop, floor
        self.first = (size - window.shape[0]) // 2
        self.register_buffer("window", window, persistent=False)

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        """Return spectra [batch, channels, frames, bins]; frame k is centred on sample k * hop.

        `signal` [batch, channels, samples] is reflected at its ends; it needs `size` / 2 + 1 samples.
        """
        half = self.size // 2
        padded = nn.functional.pad(signal, (half, half), mode="reflect")[..., self.first :]
        frames = signal.shape[-1] // self.hop + 1
        framed = padded.unfold(-1, self.window.shape[0], self.hop)[..., :frames, :]
        spectra: torch.Tensor = torch.fft.rfft(framed * self.window.to(signal), n=self.size)
        return spectra

    def adjoint(self, spectra: torch.Tensor, samples: int) -> torch.Tensor:
        """Return the gradient for a signal of `samples` samples, given that for its spectra.

        The gradient of the real and of the imaginary part stand in the parts of `spectra`, which is
        overwritten.
        """
        # One-sided spectra: irfft adds the mirror image of all bins but the first and the last.
        spectra[..., 1:-1] *= 0.5
        framed = torch.fft.irfft(spectra, n=self.size, norm="forward")[..., : self.window.shape[0]]
        whole = overlap_added(framed * self.window.to(framed), self.hop)
        half = self.size // 2
        padded = whole.new_zeros(*whole.shape[:-1], samples + self.size)
        end = min(padded.shape[-1], self.first + whole.shape[-1])
        padded[..., self.first : end] = whole[..., : end - self.first]
        gradient = padded[..., half : half + samples].clone()
        gradient[..., 1 : half + 1] += padded[..., :half].flip(-1)
        gradient[..., samples - half - 1 : samples - 1] += padded[..., half + samples :].flip(-1)
        return gradient


def overlap_added(frames: torch.Tensor, hop: int) -> torch.Tensor:
    """Add frames [..., frames, length] up, each `hop` samples after the one before; zeros may trail."""
    count, length = frames.shape[-2:]
    parts = -(-length // hop)
    frames = nn.functional.pad(frames, (0, parts * hop - length))
    total = frames.new_zeros(*frames.shape[:-2], count + parts - 1, hop)
    for part in range(parts):
        total[..., part : part + count, :] += frames[..., part * hop : (part + 1) * hop]
    return total.flatten(-2)
