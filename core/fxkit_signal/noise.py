"""Noise as a function of seed and position, white or shaped, the same however a signal is cut."""

from __future__ import annotations

import torch
from torch import Tensor

from fxkit_signal.framing import FrameState, bracket_frames

_KAISER_BETA = 7.0
_WORD = 0xFFFFFFFF


def hashed_noise(seeds: Tensor, start: int, samples: int) -> Tensor:
    """Return uniform white noise in [-1, 1), one independent series per seed.

    `seeds` int64 [batch]; the samples are those at positions start ... start + samples - 1 of each
    series, which repeats after 2^32. Returns float32 [batch, samples] on the device of `seeds`. Each
    sample is a hash of its counter (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011)
    by Wellons' lowbias32 mixer (2018).
    """
    offset = _mix(_mix(seeds & _WORD ^ 0x6A09E667) ^ (seeds >> 32 & _WORD))
    stride = _mix(offset ^ 0x9E3779B9) | 1
    position = torch.arange(start, start + samples, device=seeds.device) & _WORD
    bits = _mix(position * stride[:, None] + offset[:, None] & _WORD)
    return (bits >> 8).to(torch.float32) * 2.0**-23 - 1


def _mix(word: Tensor) -> Tensor:
    """Scramble 32-bit words held in int64; products that wrap keep their low bits."""
    word = (word ^ (word >> 16)) * 0x7FEB352D & _WORD
    word = (word ^ (word >> 15)) * 0x846CA68B & _WORD
    return word ^ (word >> 16)


def filter_noise(
    magnitudes: Tensor, seeds: Tensor, samples: int, hop: int, state: FrameState | None = None
) -> tuple[Tensor, FrameState]:
    """Shape white noise by a spectrum that moves from frame to frame, without delay.

    `magnitudes` [batch, bands, frames due] are gains on a linear frequency grid from 0 to half the sample
    rate; `seeds` int64 [batch, channels] pick the noise (uniform in [-1, 1), so a gain of 1 gives an
    RMS of 0.577). Between frames, `hop` samples apart, the gains are interpolated linearly. Returns
    [batch, channels, samples] and the next state; any split into blocks gives the same noise.

    Each frame is a zero-phase FIR filter of 2 * (bands - 1) + 1 taps, designed by frequency sampling with a
    Kaiser window (stop bands 60 dB down, three bands from an edge). Noise that is a function of its
    position is known before its time comes, so zero phase costs no latency, and filters act in full on
    both sides of every frame: nothing is cut at the borders of blocks or hops.

    Raises `ValueError` when the frames are not those due (see `fxkit_signal.framing`).
    """
    position = 0 if state is None else int(state["position"])
    frames, offset, following = bracket_frames(magnitudes, samples, hop, state)
    if samples == 0:
        return magnitudes.new_zeros(*seeds.shape, 0), following
    reach = magnitudes.shape[1] - 1
    points = 2 * (hop + reach)
    first = position - offset - hop - reach
    count = frames.shape[-1]
    noise = hashed_noise(seeds.flatten(), first, (count - 1) * hop + points).to(magnitudes.dtype)
    spectra = torch.fft.rfft(noise.view(*seeds.shape, -1).unfold(-1, points, hop))
    gains = frames.mT @ _response_of_bands(reach + 1, points).to(frames)
    shaped = torch.fft.irfft(spectra * gains[:, None], points)[..., reach : reach + 2 * hop]
    ramp = torch.arange(hop, dtype=frames.dtype, device=frames.device) / hop
    joined = torch.lerp(shaped[:, :, :-1, hop:], shaped[:, :, 1:, :hop], ramp)
    return joined.flatten(-2)[..., offset : offset + samples], following


def _response_of_bands(bands: int, points: int) -> Tensor:
    """Return the responses of the zero-phase filters that have one gain at 1, [bands, points // 2 + 1].

    A symmetric filter is a cosine series both ways, from bands to taps and from taps to the response.
    """
    reach = bands - 1
    taps = torch.arange(bands, dtype=torch.float64)
    window = torch.kaiser_window(2 * reach + 1, periodic=False, beta=_KAISER_BETA, dtype=torch.float64)
    twice = torch.full_like(taps, 2.0)
    twice[0] = twice[-1] = 1.0
    to_taps = torch.cos(torch.pi / reach * torch.outer(taps, taps)) * twice[:, None] / (2 * reach)
    bins = torch.arange(points // 2 + 1, dtype=torch.float64)
    to_response = torch.cos(2 * torch.pi / points * torch.outer(taps, bins)) * twice[:, None]
    response: Tensor = (to_taps * window[reach:]) @ to_response
    return response
