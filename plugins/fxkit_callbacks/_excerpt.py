"""Cut the part of an example that a picture shows, and thin it out to what pixels can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    from fxkit.engine.session import Example

Array = npt.NDArray[np.float64]


@attrs.frozen(kw_only=True)
class Excerpt:
    """Hold samples [start, stop) of a recording at `sample_rate` Hz."""

    start: int
    stop: int
    sample_rate: int

    @property
    def seconds(self) -> tuple[float, float]:
        """Return the first and last time in seconds."""
        return self.start / self.sample_rate, self.stop / self.sample_rate

    def times(self, count: int) -> Array:
        """Return `count` even times in seconds over the excerpt."""
        return np.linspace(*self.seconds, count, endpoint=False)

    def part(self, audio: torch.Tensor) -> torch.Tensor:
        """Return the excerpt of audio [channels, samples]."""
        return audio[:, self.start : self.stop]

    def cut(self, audio: torch.Tensor) -> Array:
        """Return the excerpt of the first channel of audio [channels, samples]."""
        return audio[0, self.start : self.stop].double().numpy()


def loudest(example: Example, sample_rate: int, seconds: float) -> Excerpt:
    """Find the excerpt of `seconds` whose target has the most energy, in the scored part.

    A recording that is shorter is taken whole.
    """
    energy = example.target[:, example.skip :].double().square().sum(0).numpy()
    length = min(max(1, round(seconds * sample_rate)), energy.size)
    before = np.concatenate([[0.0], np.cumsum(energy)])
    starts = np.arange(0, energy.size - length + 1, max(1, length // 16))
    start = int(starts[(before[starts + length] - before[starts]).argmax()]) if length else 0
    return Excerpt(start=example.skip + start, stop=example.skip + start + length, sample_rate=sample_rate)


def envelope(audio: Array, bins: int = 800) -> tuple[Array, Array]:
    """Return the least and the greatest sample of each of `bins` even stretches (or of each sample)."""
    edges = np.unique(np.linspace(0, audio.size, min(bins, audio.size), endpoint=False).astype(int))
    return np.minimum.reduceat(audio, edges), np.maximum.reduceat(audio, edges)


def spectrogram(
    audio: Array, sample_rate: int, *, columns: int = 260, bands: int = 180
) -> tuple[Array, Array]:
    """Return power [bands, columns] and the bands' frequencies in Hz, evenly spaced in log frequency.

    Hann window of about 43 ms; bins are four times as fine as its
    own; a band holds the greatest bin that falls in it, or the nearest one.
    """
    size = 2 ** round(np.log2(0.043 * sample_rate))
    padded = np.pad(audio, (size // 2, size))
    starts = np.linspace(0, audio.size, columns, endpoint=False).astype(int)
    frames = padded[starts[:, None] + np.arange(size)] * np.hanning(size)
    fine = 4 * size
    power = np.square(np.abs(np.fft.rfft(frames, fine, axis=-1))).T
    edges = np.geomspace(sample_rate / size * 2, sample_rate / 2, bands + 1)
    bins = np.minimum(np.round(edges * fine / sample_rate).astype(int), fine // 2 - 1)
    # reduceat takes the one bin at its start where two edges round to the same.
    return np.maximum.reduceat(power, bins, axis=0)[:bands], np.sqrt(edges[1:] * edges[:-1])
