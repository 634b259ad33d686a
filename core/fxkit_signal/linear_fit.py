"""Find the filter that takes one signal closest to another in least squares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

# White noise this far below the input's power is added to it: bands that it leaves empty get no gain.
_RIDGE = 1e-10
_SHORTEST_FRAME = 1 << 15
_FRAMES = 64

# Input [channels, samples], target [channels, samples], and the first sample of the target that counts.
Pair = tuple[Tensor, Tensor, int]


def linear_fit(pairs: Iterable[Pair], taps: int) -> Tensor:
    """Return the causal filters [outputs, inputs, taps], float64, of least squared error over all pairs.

    Each output channel is the sum of all input channels, each through a filter of its own. Before a pair's
    first sample the input is silence. The normal equations are those of the covariance method (Makhoul,
    Linear prediction: a tutorial review, 1975, section II), exact at both ends of every pair: their matrix
    follows from its first rows and columns, which are correlations taken by FFT, and from what enters
    and leaves at the ends. Filters of inputs that are silent throughout are zero.
    """
    correlations, heads, tails = [], [], []
    for source, target, start in pairs:
        correlations.append(_correlations(source.double(), target.double(), start, taps))
        heads.append(_last(source[:, :start], taps))
        tails.append(_last(source, taps))
    summed = torch.stack(correlations).sum(dim=0)
    inputs = summed.shape[0]
    matrix = _matrix(summed[:, :inputs], torch.stack(heads), torch.stack(tails))
    right = summed[:, inputs:].transpose(1, 2).reshape(inputs * taps, -1)
    return _solved(matrix, right).reshape(inputs, taps, -1).permute(2, 0, 1)


def _correlations(source: Tensor, target: Tensor, start: int, taps: int) -> Tensor:
    """Return sum over n >= start of source[a, n - k] signal[b, n] as [a, b, k]; b: source, then target."""
    signals = torch.cat([source, target])[:, start:]
    size = _frame_size(taps)
    hop = size - taps + 1
    past = torch.nn.functional.pad(source, (taps - 1, 0))[:, start:]
    frames = -(-signals.shape[-1] // hop)
    now = _cut(signals, hop, hop, frames)
    before = _cut(past, size, hop, frames)
    spectrum = torch.zeros(len(source), len(signals), size // 2 + 1, dtype=torch.complex128)
    for some in range(0, frames, _FRAMES):
        short, long = (torch.fft.rfft(x[:, some : some + _FRAMES], n=size) for x in (now, before))
        spectrum += torch.einsum("afk,bfk->abk", long, short.conj())
    correlations: Tensor = torch.fft.irfft(spectrum, n=size)[..., :taps]
    return correlations.flip(-1)


def _frame_size(taps: int) -> int:
    return max(_SHORTEST_FRAME, 1 << (8 * taps - 1).bit_length())


def _cut(signal: Tensor, length: int, hop: int, frames: int) -> Tensor:
    missing = (frames - 1) * hop + length - signal.shape[-1]
    return torch.nn.functional.pad(signal, (0, max(missing, 0))).unfold(-1, length, hop)[:, :frames]


def _last(signal: Tensor, taps: int) -> Tensor:
    """Return the last samples, newest first, [channels, taps]; silence before the start."""
    newest = signal[:, max(signal.shape[-1] - taps, 0) :].double().flip(-1)
    return torch.nn.functional.pad(newest, (0, taps - newest.shape[-1]))


def _matrix(edges: Tensor, heads: Tensor, tails: Tensor) -> Tensor:
    """Return [inputs * taps, inputs * taps] from the correlations at no delay, and what shifts change.

    R[i + 1, j + 1] = R[i, j] + heads[i] heads[j] - tails[i] tails[j], summed over the pairs.
    """
    inputs, _, taps = edges.shape
    change = _products(heads) - _products(tails)
    matrix = edges.new_empty(inputs, taps, inputs, taps)
    matrix[:, 0] = edges.transpose(0, 1)
    matrix[:, :, :, 0] = edges.transpose(1, 2)
    for i in range(taps - 1):
        matrix[:, i + 1, :, 1:] = matrix[:, i, :, :-1] + change[:, i, :, :-1]
    return matrix.reshape(inputs * taps, inputs * taps)


def _products(edges: Tensor) -> Tensor:
    pairs, inputs, taps = edges.shape
    flat = edges.reshape(pairs, inputs * taps)
    return (flat.T @ flat).reshape(inputs, taps, inputs, taps)


def _solved(matrix: Tensor, right: Tensor) -> Tensor:
    power = float(matrix.diagonal().mean())
    if power <= 0:
        return torch.zeros_like(right)
    matrix.diagonal().add_(_RIDGE * power)
    return torch.cholesky_solve(right, torch.linalg.cholesky(matrix))


def apply_fit(filters: Tensor, audio: Tensor) -> Tensor:
    """Filter `audio` [inputs, samples] by `filters` [outputs, inputs, taps]; returns [outputs, samples]."""
    from fxkit_signal.convolution import convolve

    rows: Sequence[Tensor] = [
        convolve(one.expand(1, len(filters), -1), filters[None, :, index])[0][0]
        for index, one in enumerate(audio)
    ]
    return torch.stack(list(rows)).sum(dim=0)
