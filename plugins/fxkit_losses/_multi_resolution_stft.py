"""The module behind `multi-resolution-stft`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from auraloss.freq import STFTLoss
from torch import nn

from fxkit.errors import AssemblyError
from fxkit.values import Batch, Output


class MultiResolutionSTFTModule(nn.Module):
    """Average the distance of spectra over the resolutions, item by item."""

    def __init__(
        self, resolutions: Sequence[tuple[int, int, int]], convergence: float, log: float, linear: float
    ) -> None:
        super().__init__()
        self.transforms = tuple(STFTLoss(size, hop, window) for size, window, hop in resolutions)
        self.convergence, self.log, self.linear = convergence, log, linear

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the distance of each item, [batch]; raises `AssemblyError` for too short segments."""
        self._check_length(output.audio.shape[-1])
        terms = [self._distance(transform, output.audio, batch.target) for transform in self.transforms]
        return torch.stack(terms).mean(dim=0)

    def _distance(self, transform: STFTLoss, audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            expected = magnitudes(transform, target)
        found = magnitudes(transform, audio)
        total = found.new_zeros(found.shape[0])
        if self.convergence:
            total = total + self.convergence * _norm(found - expected) / _norm(expected)
        if self.log:
            total = total + self.log * (found.log() - expected.log()).abs().mean(dim=(1, 2, 3))
        if self.linear:
            total = total + self.linear * (found - expected).abs().mean(dim=(1, 2, 3))
        return total

    def _check_length(self, samples: int) -> None:
        longest = max(transform.fft_size for transform in self.transforms)
        if samples < longest:
            raise AssemblyError(
                "multi-resolution-stft",
                f"{samples} samples are fewer than the FFT size {longest}; "
                f"raise data.segment to {longest} or more, or leave that size out of fft_sizes",
            )


def magnitudes(transform: STFTLoss, audio: torch.Tensor) -> torch.Tensor:
    """Return magnitudes [batch, channels, bins, frames], held above the square root of auraloss's eps.

    This is `STFTLoss.stft` without the phase, which no term here reads and whose arc tangent costs.
    """
    spectrum = torch.stft(
        audio.flatten(0, 1),
        transform.fft_size,
        transform.hop_size,
        transform.win_length,
        transform.window.to(audio),
        return_complex=True,
    )
    power = spectrum.real.square() + spectrum.imag.square()
    floored = power.clamp(min=transform.eps).sqrt()
    return floored.view(*audio.shape[:2], *floored.shape[1:])


def _norm(magnitude: torch.Tensor) -> torch.Tensor:
    length: torch.Tensor = torch.linalg.vector_norm(magnitude.flatten(1), dim=1)
    return length
