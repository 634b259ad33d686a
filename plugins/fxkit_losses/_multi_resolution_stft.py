"""The module behind `multi-resolution-stft`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from auraloss.freq import STFTLoss
from torch import nn

from fxkit.errors import AssemblyError
from fxkit.values import Batch, Output
from fxkit_losses._resolution import Resolution
from fxkit_losses._spectral_distance import Terms, spectral_distance


class MultiResolutionSTFTModule(nn.Module):
    """Average the distance of spectra over the resolutions, item by item.

    Window and least power of each resolution are auraloss's.
    """

    def __init__(self, resolutions: Sequence[tuple[int, int, int]], terms: Terms) -> None:
        super().__init__()
        self.terms = terms
        peers = (STFTLoss(size, hop, length) for size, length, hop in resolutions)
        self.resolutions = nn.ModuleList(
            Resolution(peer.fft_size, peer.hop_size, peer.window, peer.eps) for peer in peers
        )

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the distance of each item, [batch]; raises `AssemblyError` for too short segments."""
        resolutions = cast("list[Resolution]", list(self.resolutions))
        _check_length(output.audio.shape[-1], max(resolution.size for resolution in resolutions))
        distances = [
            spectral_distance(output.audio, batch.target, resolution, self.terms)
            for resolution in resolutions
        ]
        return torch.stack(distances).mean(dim=0)


def _check_length(samples: int, longest: int) -> None:
    if samples < longest:
        raise AssemblyError(
            "multi-resolution-stft",
            f"{samples} samples are fewer than the FFT size {longest}; "
            f"raise data.segment to {longest} or more, or leave that size out of fft_sizes",
        )
