"""Causal convolution with impulse responses of any length, in blocks of any size, without delay."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fxkit_signal.dispatch import compiled_for

# Taps per row of the matrix product; more waste multiplications, fewer copy more.
_ROW = 32
# Nanoseconds on one core, measured: per multiplication of the product, per point and octave of the FFTs.
_PRODUCT_COST = 0.03
_FFT_COST = 2.0
_SHORTEST_FRAME = 256
# Blocks longer than so many times the taps are cut into frames.
_MANY_TIMES = 8
# Products up to which one copy of the past per output sample is the quickest.
_FEW = 1 << 17
# The compiled kernel runs through the taps once per block, and beats products while a block is short.
_LONGEST_CALL, _LEAST_TAPS = 128, 48


def convolve(audio: Tensor, taps: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Filter audio by y[n] = sum over k of taps[k] audio[n - k], with no latency.

    `audio` [batch, channels, samples]; `taps` [batch or 1, channels or 1, length], at least one
    tap; the values may differ from block to block. `state` [batch, channels, length - 1] is the audio
    before this block, None means silence. Returns audio of the same shape and type and the next state;
    any split into blocks gives the same output to float rounding. Differentiable in everything.

    Short blocks that need no gradient take one compiled call. Others are a matrix product of the past, cut
    into overlapping rows, with the taps, summed along diagonals (or the plain sum where there are few
    taps); long ones use FFT frames (Stockham, High-speed convolution and correlation, 1966). Whichever is
    quicker is chosen; all are exact.
    """
    taps = taps.to(audio.dtype)
    past, samples = taps.shape[-1] - 1, audio.shape[-1]
    line = audio.new_zeros(*audio.shape[:2], past) if state is None else state
    if not audio.numel():
        return audio, line
    joined = torch.cat([line, audio], dim=-1)
    following = joined[..., samples:].clone()
    if _fits_compiled(joined, taps, samples):
        return _by_kernel(joined, taps), following
    if samples * taps.shape[-1] <= _FEW:
        return _by_windows(joined, taps), following
    if samples > _MANY_TIMES * past and samples > _SHORTEST_FRAME:
        return _in_frames(joined, taps), following
    by_product = audio[..., 0].numel() * taps.shape[-1] * (samples + _ROW) * _PRODUCT_COST
    by_fft = audio[..., 0].numel() * _FFT_COST * joined.shape[-1] * math.log2(joined.shape[-1] + 1)
    return (_by_product if by_product < by_fft else _by_one_fft)(joined, taps), following


def _fits_compiled(joined: Tensor, taps: Tensor, samples: int) -> bool:
    if samples == 1 or samples > _LONGEST_CALL or taps.shape[-1] < _LEAST_TAPS:
        return False
    traced = torch.is_grad_enabled() and (joined.requires_grad or taps.requires_grad)
    return not traced and compiled_for(joined, taps)


def _by_kernel(joined: Tensor, taps: Tensor) -> Tensor:
    from fxkit_signal.compiled.convolution import run_convolution

    out = joined.new_empty(*joined.shape[:2], joined.shape[-1] - taps.shape[-1] + 1)
    run_convolution(joined.detach().numpy(), taps.detach().contiguous().numpy(), out.numpy())
    return out


def _by_windows(joined: Tensor, taps: Tensor) -> Tensor:
    filtered: Tensor = joined.unfold(-1, taps.shape[-1], 1) @ taps.flip(-1)[..., None]
    return filtered[..., 0]


def _by_product(joined: Tensor, taps: Tensor) -> Tensor:
    """Sum taps[row q, r] times the past 32 q + r samples back, over q by a product, over r by diagonals."""
    length = taps.shape[-1]
    samples = joined.shape[-1] - length + 1
    width = min(_ROW, length)
    rows = -(-length // width)
    lacking = rows * width - length
    weights = torch.nn.functional.pad(taps, (0, lacking)).unflatten(-1, (rows, width)).flip(-2)
    past = torch.nn.functional.pad(joined, (lacking, 0)).unfold(-1, samples + width - 1, width)
    product: Tensor = weights.mT @ past
    # Row r holds output i in column i + width - 1 - r: one step less per row than the rows are long.
    step = samples + width - 2 if width > 1 else samples
    skewed = product.flatten(-2)[..., width - 1 : width - 1 + width * step]
    if width == 1:
        return skewed
    summed: Tensor = skewed.unflatten(-1, (width, step))[..., :samples].sum(dim=-2)
    return summed


def _by_one_fft(joined: Tensor, taps: Tensor) -> Tensor:
    points = _next_smooth(joined.shape[-1])
    spectrum = torch.fft.rfft(joined, points) * torch.fft.rfft(taps, points)
    filtered: Tensor = torch.fft.irfft(spectrum, points)
    return filtered[..., taps.shape[-1] - 1 : joined.shape[-1]]


def _in_frames(joined: Tensor, taps: Tensor) -> Tensor:
    """Filter frames as long as the taps or longer, so that each output frame sees two of them."""
    past = taps.shape[-1] - 1
    samples = joined.shape[-1] - past
    length = max(_SHORTEST_FRAME, 1 << (past - 1).bit_length()) if past else _SHORTEST_FRAME
    frames = -(-samples // length)
    padded = torch.nn.functional.pad(joined, (length - past, frames * length - samples))
    spectra = torch.fft.rfft(padded.unflatten(-1, (frames + 1, length)), 2 * length)
    heard = torch.fft.irfft(spectra * torch.fft.rfft(taps, 2 * length)[..., None, :], 2 * length)
    summed: Tensor = heard[..., 1:, :length] + heard[..., :-1, length:]
    joined = summed.flatten(-2)
    return joined[..., :samples]


def _next_smooth(number: int) -> int:
    """Return the next size without prime factors above 5, for which FFTs are fast."""
    best = 1 << (number - 1).bit_length()
    for odd in (3, 5, 9, 15, 25, 27, 45, 75, 81, 125, 135, 225, 243):
        scaled = odd << max(0, (-(-number // odd) - 1).bit_length())
        best = min(best, scaled)
    return best
