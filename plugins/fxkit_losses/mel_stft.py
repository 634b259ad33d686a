"""The `mel-stft` loss: distance of magnitude spectra in mel bands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_losses.stft import STFT

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class MelSTFT(STFT):
    """Compare spectra in bands that are spaced evenly on the mel scale.

    Magnitudes are summed up in triangular bands of equal area (Slaney, Auditory Toolbox, 1998) and then
    compared as those of `stft` are.
    """

    bands: int = opt(64, ge=1, le=1024, help="mel bands")
    low: float = opt(20.0, unit="Hz", ge=0, help="where the first band begins")
    high: float | None = opt(
        None, unit="Hz", gt=0, help="where the last band ends; half the sample rate when absent"
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the options."""
        yield from super().problems()
        if self.high is not None and self.high <= self.low:
            yield "high", f"{self.high:g} Hz is not above low = {self.low:g} Hz"

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss; raises `ValueError` when the options do not fit together or to the sample rate."""
        for name, text in self.problems():
            raise ValueError(f"{name} {text}".strip())
        from fxkit_losses._multi_resolution_stft import MultiResolutionModule
        from fxkit_losses._resolution import Resolution
        from fxkit_signal.mel import mel_bands

        high = self.high or ctx.nyquist
        if high > ctx.nyquist:
            raise ValueError(f"high is {high:g} Hz, above half the sample rate, {ctx.nyquist:g} Hz")
        bins = self.resolution(ctx)
        bands = mel_bands(self.bands, self.fft_size, ctx.sample_rate, self.low, high).float()
        banded = Resolution(bins.size, bins.hop, bins.window, bins.floor, bands)
        return MultiResolutionModule("mel-stft", [banded], self.terms())
