"""A grid of blocks: what is known of each block, and how it scales and shifts the samples in it."""

from __future__ import annotations

import torch


def spread(frames: torch.Tensor, offset: int, samples: int, block: int) -> torch.Tensor:
    """Hold each of `frames` [batch, dims, blocks] for its block; returns [batch, dims, samples].

    The first sample lies `offset` samples into the first block.
    """
    return frames.repeat_interleave(block, dim=-1)[..., offset : offset + samples]


def modulate_blocks(
    signal: torch.Tensor, frames: torch.Tensor, offset: int, block: int, *, around_one: bool
) -> torch.Tensor:
    """Scale and shift `signal` [batch, width, samples] by `frames` [batch, 2 width, blocks it touches].

    Scales come first, shifts after them; `around_one` adds 1 to the scales. The first sample lies
    `offset` samples into the first block.
    """
    scale, shift = frames.chunk(2, dim=1)
    scale = scale + 1 if around_one else scale
    samples, columns = signal.shape[-1], frames.shape[-1]
    if columns == 1:
        return torch.addcmul(shift, signal, scale)
    head = min(block - offset, samples) if offset else 0
    whole = (samples - head) // block
    first, last = (1 if head else 0), (1 if head else 0) + whole
    pieces = []
    if head:
        pieces.append(torch.addcmul(shift[..., :1], signal[..., :head], scale[..., :1]))
    if whole:
        body = signal[..., head : head + whole * block].unflatten(-1, (whole, block))
        modulated = torch.addcmul(shift[..., first:last, None], body, scale[..., first:last, None])
        pieces.append(modulated.flatten(-2))
    if last < columns:
        rest = signal[..., head + whole * block :]
        pieces.append(torch.addcmul(shift[..., last:], rest, scale[..., last:]))
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=-1)
