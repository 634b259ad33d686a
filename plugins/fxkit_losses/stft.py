"""The `stft` loss: distance of magnitude spectra at one resolution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit_losses._resolution import Resolution
    from fxkit_losses._spectral_distance import Terms


@attrs.frozen(kw_only=True)
class STFT:
    """Compare magnitude spectra at one resolution.

    Spectral convergence and log magnitude as in Arik et al., "Fast spectrogram inversion using
    multi-head convolutional neural networks" (2019), each item on its own.
    """

    fft_size: int = opt(1024, unit="samples", ge=16, le=65536, help="FFT size, even")
    win_length: int | None = opt(
        None, unit="samples", ge=4, help="length of the window; the FFT size when absent"
    )
    hop_size: int | None = opt(None, unit="samples", ge=1, help="hop; a quarter of the window when absent")
    window: Literal["hann", "hamming", "blackman", "bartlett"] = opt(
        "hann", choices=("hann", "hamming", "blackman", "bartlett"), help="shape of the window"
    )
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
        if self.fft_size % 2:
            yield "fft_size", f"{self.fft_size} is odd; use an even size, best a power of two"
        if self.win_length and self.win_length > self.fft_size:
            yield "win_length", f"{self.win_length} is longer than the FFT size {self.fft_size}"
        if not (self.convergence or self.log_magnitude or self.linear_magnitude):
            yield "", "convergence, log_magnitude and linear_magnitude are all 0; let one of them weigh"

    def terms(self) -> Terms:
        """Return the weights of the terms."""
        from fxkit_losses._spectral_distance import Terms

        return Terms(
            convergence=self.convergence,
            log=self.log_magnitude,
            linear=self.linear_magnitude,
            quiet=10 ** (self.quiet / 10),
        )

    def resolution(self, ctx: BuildContext) -> Resolution:
        """Return what makes the spectra."""
        from fxkit_losses._resolution import Resolution
        from fxkit_losses._windows import WINDOWS, full_scale_floor

        length = self.win_length or self.fft_size
        window = WINDOWS[self.window](length)
        hop = self.hop_size or max(1, length // 4)
        return Resolution(self.fft_size, hop, window, full_scale_floor(window, self.floor))

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that a signal has to be as long as an FFT."""
        return LossTraits(sign_blind=True, least_samples=self.fft_size)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss; raises `ValueError` when the options do not fit together."""
        for name, text in self.problems():
            raise ValueError(f"{name} {text}".strip())
        from fxkit_losses._multi_resolution_stft import MultiResolutionModule

        return MultiResolutionModule("stft", [self.resolution(ctx)], self.terms())
