"""A-weighted level per frame, and the K-weighting of programme loudness."""

from __future__ import annotations

import math

import torch
from scipy.fft import next_fast_len
from torch import Tensor

# The pole frequencies in Hz of IEC 61672-1:2013, annex E.
_POLES = (20.598997, 107.65265, 737.86223, 12194.217)
_KERNEL_SECONDS = 0.2
_CHUNK_SAMPLES = 2**18
# A sine of amplitude 1 has a mean square of one half and reads 0 dB.
_SINE_MEAN_SQUARE = 0.5
# A 997 Hz sine of amplitude 1 in one channel reads -3.01 LUFS.
LUFS_OFFSET = -0.691


def a_weighting(frequency: Tensor) -> Tensor:
    """Return the gain of the A-weighting at `frequency` in Hz, 1 at 1 kHz (IEC 61672-1, annex E).

    Any shape; gains as amplitude ratios.
    """
    return _a_response(frequency) / _a_response(torch.tensor(1000.0, dtype=torch.float64)).item()


def _a_response(frequency: Tensor) -> Tensor:
    square = frequency.double().square()
    low, second, third, high = (pole * pole for pole in _POLES)
    middle = ((square + second) * (square + third)).sqrt()
    return high * square.square() / ((square + low) * middle * (square + high))


def a_weighting_kernel(rate: float, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return a symmetric impulse response of the A-weighting, [2 * half + 1] with half = 0.2 s.

    Its middle is time 0: it delays nothing, and follows the curve up to the Nyquist frequency.
    """
    half = math.ceil(_KERNEL_SECONDS * rate)
    length = next_fast_len(8 * half, real=True)
    gains = a_weighting(torch.fft.rfftfreq(length, 1 / rate, dtype=torch.float64))
    response = torch.fft.irfft(gains, length)
    taper = torch.hann_window(2 * half + 3, periodic=False, dtype=torch.float64)[1:-1]
    return (torch.cat((response[-half:], response[: half + 1])) * taper).to(dtype)


def loudness(audio: Tensor, rate: float, hop: int, *, window: float = 0.032, floor: float = -80.0) -> Tensor:
    """Return the A-weighted level of each frame in dB, at least `floor`, [samples // hop + 1].

    `audio` [samples] at `rate` in Hz. Frame k is the mean power under a Hann window of `window` seconds
    centred on sample k * hop, over the part of it that lies in the recording, after A-weighting. A sine
    of amplitude 1 at 1 kHz reads 0 dB; twice the amplitude is 6.02 dB more.
    """
    half = max(1, round(window * rate / 2))
    hann = torch.hann_window(2 * half + 1, periodic=False, dtype=audio.dtype, device=audio.device)
    kernel = a_weighting_kernel(rate, audio.dtype).to(audio.device)
    frames = audio.shape[-1] // hop + 1
    chunk = max(1, _CHUNK_SAMPLES // hop)
    powers = [
        _frame_powers(audio, kernel, hann, range(first * hop, min(first + chunk, frames) * hop, hop))
        for first in range(0, frames, chunk)
    ]
    lowest = _SINE_MEAN_SQUARE * 10 ** (floor / 10)
    return 10 * torch.log10(torch.cat(powers).clamp(min=lowest) / _SINE_MEAN_SQUARE)


def _frame_powers(audio: Tensor, kernel: Tensor, hann: Tensor, centres: range) -> Tensor:
    """Return the mean power of the filtered recording under `hann` at each of the centres."""
    half = len(hann) // 2
    start, stop = centres[0] - half, centres[-1] + half + 1
    inside = slice(max(start, 0), min(stop, len(audio)))
    power = _filtered(audio, kernel, inside.start, inside.stop).square()
    present = torch.stack((power, torch.ones_like(power)))
    padded = torch.nn.functional.pad(present, (inside.start - start, stop - inside.stop))
    sums = torch.nn.functional.conv1d(padded[:, None], hann[None, None], stride=centres.step)[:, 0]
    return sums[0] / sums[1].clamp(min=torch.finfo(audio.dtype).tiny)


def _filtered(audio: Tensor, kernel: Tensor, start: int, stop: int) -> Tensor:
    """Return samples [start, stop) of the recording convolved with a centred kernel."""
    half = len(kernel) // 2
    low, high = max(start - half, 0), min(stop + half, len(audio))
    length = next_fast_len(high - low + 2 * half, real=True)
    spectrum = torch.fft.rfft(audio[low:high], length) * torch.fft.rfft(kernel, length)
    filtered: Tensor = torch.fft.irfft(spectrum, length)
    return filtered[half + start - low : half + stop - low]


def k_weighting(rate: float) -> Tensor:
    """Return the two sections of the K-weighting at `rate` in Hz, float64 [2, 6].

    A shelf for the head and a high-pass filter, of ITU-R BS.1770-4, annex 1, whose table for 48 kHz is
    met by the analogue filters behind it (as in libebur128).
    """
    return torch.stack((_head_shelf(rate), _low_cut(rate)))


def _head_shelf(rate: float) -> Tensor:
    edge, damping = math.tan(math.pi * 1681.974450955533 / rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    middle = high**0.4996667741545416
    b = (
        high + middle * edge / damping + edge**2,
        2 * (edge**2 - high),
        high - middle * edge / damping + edge**2,
    )
    return _section(b, edge, damping)


def _low_cut(rate: float) -> Tensor:
    edge, damping = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    norm = 1 + edge / damping + edge**2
    # The standard leaves the numerator at 1 -2 1, as it stands in its table.
    return _section((norm, -2 * norm, norm), edge, damping)


def _section(b: tuple[float, float, float], edge: float, damping: float) -> Tensor:
    a = (1 + edge / damping + edge**2, 2 * (edge**2 - 1), 1 - edge / damping + edge**2)
    return torch.tensor((*b, *a), dtype=torch.float64) / a[0]


def loudness_units(power: Tensor) -> Tensor:
    """Return the loudness in LUFS of a K-weighted mean square, summed over channels (BS.1770-4, eq. 2)."""
    return 10 * torch.log10(power) + LUFS_OFFSET
