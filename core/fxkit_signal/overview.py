"""Overviews of audio for pictures: where it is loudest, its envelope, its spectrogram in few pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]

_WINDOW_SECONDS = 0.043


def loudest_start(audio: Array, length: int) -> int:
    """Return where the `length` samples of [channels, samples] with the most energy begin.

    Starts are tried in steps of a sixteenth of the length; 0 when the audio is no longer than that.
    """
    energy = np.square(audio.astype(np.float64)).sum(0)
    if energy.size <= length:
        return 0
    before = np.concatenate([np.zeros(1), np.cumsum(energy)])
    starts = np.arange(0, energy.size - length + 1, max(1, length // 16))
    return int(starts[np.argmax(before[starts + length] - before[starts])])


def envelope(audio: Array, bins: int) -> tuple[Array, Array]:
    """Return the least and the greatest sample of each of `bins` even stretches (or of each sample).

    `audio` is [channels, samples]; all channels count alike.
    """
    edges = np.unique(np.linspace(0, audio.shape[-1], min(bins, audio.shape[-1]), endpoint=False).astype(int))
    low = np.minimum.reduceat(audio.min(0), edges)
    return low, np.maximum.reduceat(audio.max(0), edges)


def log_spectrogram(
    audio: Array, sample_rate: int, *, columns: int = 260, bands: int = 180
) -> tuple[Array, npt.NDArray[np.float64]]:
    """Return power [bands, columns] of [samples], and the bands' frequencies in Hz, even in their logarithm.

    Hann windows of about 43 ms at even places; bins are four times as fine as the window's own; a band
    holds the greatest bin that falls in it, or the nearest one.
    """
    size = 2 ** round(np.log2(_WINDOW_SECONDS * sample_rate))
    padded = np.pad(audio, (size // 2, size))
    starts = np.linspace(0, audio.size, columns, endpoint=False).astype(int)
    frames = padded[starts[:, None] + np.arange(size)] * np.hanning(size)
    fine = 4 * size
    power = np.square(np.abs(np.fft.rfft(frames, fine, axis=-1))).T
    edges = np.geomspace(sample_rate / size * 2, sample_rate / 2, bands + 1)
    bins = np.minimum(np.round(edges * fine / sample_rate).astype(int), fine // 2 - 1)
    # reduceat takes the one bin at its start where two edges round to the same.
    return np.maximum.reduceat(power, bins, axis=0)[:bands], np.sqrt(edges[1:] * edges[:-1])
