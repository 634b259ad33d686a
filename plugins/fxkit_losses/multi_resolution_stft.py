"""The `multi-resolution-stft` loss: distance of magnitude spectra at several resolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss

# FFT size -> window and hop of Yamamoto, Song and Kim, "Parallel WaveGAN" (2020).
_PUBLISHED = {512: (240, 50), 1024: (600, 120), 2048: (1200, 240)}


@attrs.frozen(kw_only=True)
class MultiResolutionSTFT:
    """Compare magnitude spectra by spectral convergence and log magnitude, averaged over resolutions.

    The terms are those of Yamamoto, Song and Kim, "Parallel WaveGAN" (2020); defaults and
    value are those of auraloss's MultiResolutionSTFTLoss at batch size 1, so that published figures
    compare. Unlike there, both terms are formed item by item and do not depend on the batching, and a
    silent target does not swamp the rest of its batch.
    """

    fft_sizes: tuple[int, ...] = opt(
        (1024, 2048, 512), unit="samples", ge=16, le=65536, help="FFT size of each resolution"
    )
    win_lengths: tuple[int, ...] | None = opt(
        None, unit="samples", ge=4, help="Hann window of each; when absent as published, else 0.586 FFT sizes"
    )
    hop_sizes: tuple[int, ...] | None = opt(
        None, unit="samples", ge=1, help="hop of each; when absent as published, else a fifth of the window"
    )
    convergence: float = opt(1.0, ge=0, help="weight of the spectral convergence")
    log_magnitude: float = opt(1.0, ge=0, help="weight of the distance of log magnitudes")
    linear_magnitude: float = opt(0.0, ge=0, help="weight of the distance of magnitudes")
    quiet: float = opt(
        -60.0, unit="dBFS", ge=-200, le=0, help="quieter targets count as this loud in the convergence"
    )

    @classmethod
    def examples(cls) -> tuple[MultiResolutionSTFT, ...]:
        """Return the published resolutions, and others with windows and hops of their own."""
        return cls(), cls(fft_sizes=(512, 256), win_lengths=(512, 200), hop_sizes=(64, 50))

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the options."""
        if not self.fft_sizes:
            yield "fft_sizes", "is empty; name at least one FFT size"
        for size in self.fft_sizes:
            if size % 2:
                yield "fft_sizes", f"has {size}, which is odd; use an even size, best a power of two"
        for name in ("win_lengths", "hop_sizes"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.fft_sizes):
                yield name, f"has {len(given)} values for {len(self.fft_sizes)} fft_sizes; give one for each"
        for size, window in zip(self.fft_sizes, self.win_lengths or (), strict=False):
            if window > size:
                yield "win_lengths", f"has {window}, longer than its FFT size {size}"
        if not (self.convergence or self.log_magnitude or self.linear_magnitude):
            yield "", "convergence, log_magnitude and linear_magnitude are all 0; let one of them weigh"

    @property
    def resolutions(self) -> tuple[tuple[int, int, int], ...]:
        """Return FFT size, window and hop of each resolution, in samples."""
        usual = [_PUBLISHED.get(size, (size * 600 // 1024, size * 120 // 1024)) for size in self.fft_sizes]
        windows = self.win_lengths or [window for window, _ in usual]
        hops = self.hop_sizes or [hop for _, hop in usual]
        return tuple(zip(self.fft_sizes, windows, hops, strict=True))

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that a signal has to be as long as an FFT."""
        return LossTraits(sign_blind=True, least_samples=max(self.fft_sizes, default=1))

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss; raises `ValueError` when the options do not fit together."""
        for name, text in self.problems():
            raise ValueError(f"{name} {text}".strip())
        from auraloss.freq import STFTLoss

        from fxkit_losses._multi_resolution_stft import MultiResolutionModule
        from fxkit_losses._resolution import Resolution
        from fxkit_losses._spectral_distance import Terms

        # Window and least power of each resolution are auraloss's.
        peers = (STFTLoss(size, hop, length) for size, length, hop in self.resolutions)
        resolutions = [Resolution(peer.fft_size, peer.hop_size, peer.window, peer.eps) for peer in peers]
        terms = Terms(
            convergence=self.convergence,
            log=self.log_magnitude,
            linear=self.linear_magnitude,
            quiet=10 ** (self.quiet / 10),
        )
        return MultiResolutionModule("multi-resolution-stft", resolutions, terms)
