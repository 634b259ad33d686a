"""The `spectral-centroid-error` metric: difference of brightness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class SpectralCentroidError:
    """Average the difference of the spectral centroids of output and target in Hz, frame by frame.

    The centroid of a frame is the mean frequency of its bins, weighted by magnitude (Grey and Gordon,
    "Perceptual effects of spectral modifications on musical timbres", 1978). Frames count by the
    target's power, so that those of silence do not.
    """

    fft_size: int = opt(2048, unit="samples", ge=64, le=65536, help="FFT size, even; frames overlap by 3/4")
    floor: float = opt(-100.0, unit="dBFS", ge=-200, le=0, help="magnitude that every bin has at least")

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that a signal has to be as long as an FFT."""
        return LossTraits(sign_blind=True, least_samples=self.fft_size)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the metric."""
        from fxkit_metrics._spectral_centroid_error import SpectralCentroidModule

        return SpectralCentroidModule(self.fft_size, ctx.sample_rate, self.floor)
