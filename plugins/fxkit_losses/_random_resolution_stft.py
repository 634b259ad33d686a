"""The module behind `random-resolution-stft`."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from fxkit.values import Batch, Output
from fxkit_losses._multi_resolution_stft import check_length
from fxkit_losses._resolution import Resolution
from fxkit_losses._spectral_distance import Terms, spectral_distance

Maker = Callable[[int, int, int], Resolution]


class RandomResolutionModule(nn.Module):
    """Compare each item at resolutions that its own target decides."""

    def __init__(self, low: int, high: int, draws: int, seed: int, make: Maker, terms: Terms) -> None:
        super().__init__()
        self.low, self.high, self.draws, self.seed = low, high, draws, seed
        self.make = make
        self.terms = terms

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the distance of each item, [batch]."""
        check_length("random-resolution-stft", output.audio.shape[-1], self.high)
        pairs = zip(output.audio.split(1), batch.target.split(1), strict=True)
        return torch.cat([self._item(Output(audio=audio), Batch(target=target)) for audio, target in pairs])

    def _item(self, output: Output, batch: Batch) -> torch.Tensor:
        drawn = resolutions_for(batch.target, self.low, self.high, self.draws, self.seed)
        distances = [
            spectral_distance(output, batch, self.make(*one).to(output.audio.device), self.terms)
            for one in drawn
        ]
        return torch.stack(distances).mean(dim=0)


def resolutions_for(
    target: torch.Tensor, low: int, high: int, draws: int, seed: int
) -> Sequence[tuple[int, int, int]]:
    """Return FFT size, window and hop of each draw, by the content of `target` and the seed alone.

    Windows are spread evenly in the logarithm between `low` and `high` samples, hops between a tenth
    and a half of the window; the FFT is as long as the window, rounded up to even.
    """
    content = target.detach().to("cpu", torch.float32).numpy().tobytes()
    digest = hashlib.blake2b(content, digest_size=8, key=seed.to_bytes(8, "little")).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest, "little") % 2**63)
    shares = torch.rand(draws, 2, generator=generator, dtype=torch.float64).tolist()
    windows = [round(low * math.exp(share * math.log(high / low))) for share, _ in shares]
    hops = [
        max(1, round(window * (0.1 + 0.4 * share)))
        for window, (_, share) in zip(windows, shares, strict=True)
    ]
    return [(window + window % 2, window, hop) for window, hop in zip(windows, hops, strict=True)]
