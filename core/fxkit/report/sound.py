"""Sound inside the page: FLAC as data, with the level that it has."""

from __future__ import annotations

import base64
import io
import math

import attrs
import numpy as np
import numpy.typing as npt
import soundfile

Array = npt.NDArray[np.floating]

# Below this peak the steps of 16 bits come near what is to be heard.
_FINE_BELOW = 10 ** (-24 / 20)
_MOST_CHANNELS = 8


@attrs.frozen(kw_only=True)
class Sound:
    """Hold an encoded excerpt: `uri` as a player takes it, `bits` per sample, levels in dB of full scale.

    `clipped` counts the samples beyond full scale, which FLAC cannot hold.
    """

    uri: str
    seconds: float
    bits: int
    peak: float
    rms: float
    clipped: int

    @property
    def size(self) -> int:
        """Return how many characters it takes."""
        return len(self.uri)


def encoded(audio: Array, sample_rate: int) -> Sound:
    """Encode float [channels, samples] as FLAC: 16 bits, or 24 for what is quiet."""
    audio = np.nan_to_num(audio[:_MOST_CHANNELS].astype(np.float64))
    peak = float(np.abs(audio).max(initial=0.0))
    bits = 24 if peak < _FINE_BELOW else 16
    stream = io.BytesIO()
    soundfile.write(stream, _whole(audio, bits).T, sample_rate, format="FLAC", subtype=f"PCM_{bits}")
    return Sound(
        uri="data:audio/flac;base64," + base64.b64encode(stream.getvalue()).decode("ascii"),
        seconds=audio.shape[1] / sample_rate,
        bits=bits,
        peak=decibels(peak),
        rms=decibels(float(np.sqrt(np.mean(np.square(audio)))) if audio.size else 0.0),
        clipped=int((np.abs(audio) > 1.0).sum()),
    )


def _whole(audio: Array, bits: int) -> npt.NDArray[np.int32]:
    """Round to steps of `bits`, at the top of 32; what a file of so many bits held comes out the same."""
    full = 2 ** (bits - 1)
    steps = np.clip(np.round(audio * full), -full, full - 1).astype(np.int64)
    whole: npt.NDArray[np.int32] = (steps << (32 - bits)).astype(np.int32)
    return whole


def decibels(amplitude: float) -> float:
    """Return 20 log10, minus infinity for silence."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
