"""Spectra of float32 signals on the CPU, block of frames by block of frames.

A block, so much for each thread, stays in the processor's cache from framing to sums, and a minute of
audio takes no more memory for its spectra than a second does, unless a gradient is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs
import torch

from fxkit_signal.dispatch import compiled_for

if TYPE_CHECKING:
    from fxkit_losses._resolution import Resolution

_BLOCK_SAMPLES = 2**18


@attrs.frozen(kw_only=True)
class Block:
    """Hold consecutive frames of one channel of one item: which they are, and their spectra [rows, bins]."""

    frames: slice
    spectra: torch.Tensor


def plain(signal: torch.Tensor) -> bool:
    """Tell whether the compiled kernels can serve a signal."""
    return signal.dtype == torch.float32 and compiled_for(signal)


def blocks(resolution: Resolution, framed: torch.Tensor) -> Iterator[Block]:
    """Yield the spectra of frames [frames, window] of one channel, in order."""
    step = max(1, _BLOCK_SAMPLES * torch.get_num_threads() // resolution.size)
    length = resolution.window.shape[0]
    # The FFT's zeros after the window are written once.
    lines = framed.new_zeros(min(step, len(framed)), resolution.size)
    for first in range(0, len(framed), step):
        part = framed[first : first + step]
        filled = lines[: len(part)]
        torch.mul(part, resolution.window, out=filled[:, :length])
        yield Block(frames=slice(first, first + len(part)), spectra=torch.fft.rfft(filled))


def analysed(resolution: Resolution, signal: torch.Tensor) -> torch.Tensor:
    """Return the magnitudes of `signal` [batch, channels, samples], [batch, channels, frames, bins]."""
    from fxkit_signal.compiled.magnitudes import write_magnitudes

    framed = resolution.framed(signal)
    found = signal.new_empty(*framed.shape[:3], resolution.size // 2 + 1)
    for lines, rows in zip(framed.flatten(0, 1), found.flatten(0, 1), strict=True):
        for block in blocks(resolution, lines):
            write_magnitudes(block.spectra, rows[block.frames])
    return found


def resynthesised(resolution: Resolution, parts: list[Block], padded: torch.Tensor) -> None:
    """Add to `padded` [samples] what the spectra's adjoint makes of `parts`, which are overwritten."""
    from fxkit_signal.compiled.magnitudes import overlap_add

    window = 0.5 * resolution.window
    for block in parts:
        # One-sided spectra: irfft adds the mirror image of all bins but the first and the last.
        block.spectra[:, 0] *= 2
        block.spectra[:, -1] *= 2
        framed = torch.fft.irfft(block.spectra, n=resolution.size, norm="forward")
        start = resolution.first + block.frames.start * resolution.hop
        overlap_add(framed, window, resolution.hop, padded[start:])
