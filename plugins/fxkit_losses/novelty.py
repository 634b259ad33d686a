"""The `novelty` loss: how much of its spectrum an output has from another signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class Novelty:
    """Penalise an output whose spectrogram is that of the input, or of the target.

    The square of the correlation of the two log-mel spectrograms over time and bands, each with its mean
    over time taken off, item by item: between 0, nothing in common, and 1, the same up to a gain and
    a fixed filter. A correlation that is averaged before it is squared would let signs cancel.
    """

    against: Literal["input", "target"] = opt(
        "input", choices=("input", "target"), help="the signal that is to be left"
    )
    fft_size: int = opt(1024, unit="samples", ge=64, le=65536, help="FFT size, even")
    bands: int = opt(40, ge=4, le=256, help="mel bands up to half the sample rate")
    floor: float = opt(
        -80.0, unit="dBFS", ge=-200, le=0, help="quieter bins count as the peak of a sine of this level"
    )

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that it is no distance, what it reads, and how long a signal has to be."""
        uses: tuple[Literal["input"], ...] = ("input",) if self.against == "input" else ()
        return LossTraits(distance=False, uses=uses, least_samples=self.fft_size)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss; raises `ValueError` when the FFT is too short for the bands."""
        import torch

        from fxkit_losses._novelty import NoveltyModule
        from fxkit_losses._resolution import Resolution
        from fxkit_losses._windows import full_scale_floor
        from fxkit_signal.mel import mel_bands

        window = torch.hann_window(self.fft_size)
        bands = mel_bands(self.bands, self.fft_size, ctx.sample_rate, 20.0, ctx.nyquist).float()
        floor = full_scale_floor(window, self.floor)
        return NoveltyModule(
            self.against, Resolution(self.fft_size, self.fft_size // 4, window, floor, bands)
        )
