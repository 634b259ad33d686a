"""The `random-resolution-stft` loss: magnitude spectra at resolutions drawn anew for each segment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit_losses._resolution import Resolution


@attrs.frozen(kw_only=True)
class RandomResolutionSTFT:
    """Compare magnitude spectra at resolutions that are drawn for each segment.

    As in Steinmetz and Reiss, "auraloss" (2020), so that no fixed grid of frames can be learned. What is
    drawn depends on the segment's target and the run's seed alone: a value is the same in any batch,
    and on resume.
    """

    low: int = opt(128, unit="samples", ge=16, le=65536, help="shortest window")
    high: int = opt(2048, unit="samples", ge=16, le=65536, help="longest window, even")
    draws: int = opt(3, ge=1, le=16, help="resolutions per segment")
    convergence: float = opt(1.0, ge=0, help="weight of the spectral convergence")
    log_magnitude: float = opt(1.0, ge=0, help="weight of the distance of log magnitudes")
    linear_magnitude: float = opt(0.0, ge=0, help="weight of the distance of magnitudes")
    floor: float = opt(
        -110.0, unit="dBFS", ge=-300, le=0, help="quieter bins count as the peak of a sine of this level"
    )
    quiet: float = opt(
        -60.0, unit="dBFS", ge=-200, le=0, help="quieter targets count as this loud in the convergence"
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the options."""
        if self.high % 2:
            yield "high", f"{self.high} is odd; use an even number"
        if self.high <= self.low:
            yield "high", f"{self.high} is not above low = {self.low}"
        if not (self.convergence or self.log_magnitude or self.linear_magnitude):
            yield "", "convergence, log_magnitude and linear_magnitude are all 0; let one of them weigh"

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that a signal has to be as long as an FFT."""
        return LossTraits(sign_blind=True, least_samples=self.high)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss; raises `ValueError` when the options do not fit together."""
        for name, text in self.problems():
            raise ValueError(f"{name} {text}".strip())
        from fxkit_losses._random_resolution_stft import RandomResolutionModule
        from fxkit_losses._spectral_distance import Terms

        terms = Terms(
            convergence=self.convergence,
            log=self.log_magnitude,
            linear=self.linear_magnitude,
            quiet=10 ** (self.quiet / 10),
        )
        return RandomResolutionModule(self.low, self.high, self.draws, ctx.seed, self._resolution, terms)

    def _resolution(self, size: int, length: int, hop: int) -> Resolution:
        import torch

        from fxkit_losses._resolution import Resolution
        from fxkit_losses._windows import full_scale_floor

        window = torch.hann_window(length)
        return Resolution(size, hop, window, full_scale_floor(window, self.floor))
