"""The `multi-scale-spectral` loss of DDSP."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class MultiScaleSpectral:
    """Compare magnitudes and log magnitudes at six scales (Engel et al., "DDSP", ICLR 2020, section 4.2.1).

    The sum over scales of the mean |M - T| and `log_weight` times the mean |log M - log T|, frames
    overlapping by three quarters. FFT sizes are given for 16 kHz and scale with the sample rate, to
    the nearest power of two, so that a scale stands for the same time at any rate.
    """

    fft_sizes: tuple[int, ...] = opt(
        (2048, 1024, 512, 256, 128, 64), unit="samples", ge=16, le=65536, help="FFT sizes at 16 kHz"
    )
    overlap: float = opt(0.75, ge=0, lt=1, help="share of a frame that the next one covers too")
    log_weight: float = opt(1.0, ge=0, help="weight of the distance of log magnitudes")
    linear_weight: float = opt(1.0, ge=0, help="weight of the distance of magnitudes")
    floor: float = opt(
        -100.0, unit="dBFS", ge=-300, le=0, help="quieter bins count as the peak of a sine of this level"
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the options."""
        if not self.fft_sizes:
            yield "fft_sizes", "is empty; name at least one FFT size"
        if not (self.log_weight or self.linear_weight):
            yield "", "log_weight and linear_weight are both 0; let one of them weigh"

    def sizes(self, sample_rate: float) -> tuple[int, ...]:
        """Return the FFT sizes at a sample rate in Hz: powers of two, at least 16."""
        scaled = (size * sample_rate / 16000 for size in self.fft_sizes)
        return tuple(max(16, 2 ** round(math.log2(size))) for size in scaled)

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that a signal has to be as long as an FFT."""
        return LossTraits(sign_blind=True, least_samples=max(self.sizes(ctx.sample_rate), default=1))

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss; raises `ValueError` when the options do not fit together."""
        for name, text in self.problems():
            raise ValueError(f"{name} {text}".strip())
        import torch

        from fxkit_losses._multi_resolution_stft import MultiResolutionModule
        from fxkit_losses._resolution import Resolution
        from fxkit_losses._spectral_distance import Terms
        from fxkit_losses._windows import full_scale_floor

        sizes = self.sizes(ctx.sample_rate)
        windows = [torch.hann_window(size) for size in sizes]
        scales = [
            Resolution(
                size, max(1, round(size * (1 - self.overlap))), window, full_scale_floor(window, self.floor)
            )
            for size, window in zip(sizes, windows, strict=True)
        ]
        # The module takes the mean over scales, the published loss their sum.
        count = len(scales)
        terms = Terms(convergence=0.0, log=count * self.log_weight, linear=count * self.linear_weight)
        return MultiResolutionModule("multi-scale-spectral", scales, terms)
