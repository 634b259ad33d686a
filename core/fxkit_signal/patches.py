"""The patch clock: pieces of equal length, counted from the start of a signal, and values between them."""

from __future__ import annotations

import torch
from torch import Tensor


def complete_patches(signal: Tensor, begun: Tensor, filled: int) -> tuple[Tensor, Tensor, int]:
    """Cut the patches that a block completes.

    `signal` [batch, channels, samples]; `begun` [batch, channels, patch] ends with the `filled` samples
    (fewer than the patch) of the patch that was begun. Returns the patches [batch, patches, channels, patch],
    possibly none, and `begun` and `filled` after the block.
    """
    patch = begun.shape[-1]
    joined = torch.cat((begun, signal), dim=-1)
    total = filled + signal.shape[-1]
    start = patch - filled
    whole = joined[..., start : start + total // patch * patch]
    # A copy: a view would keep the whole block alive.
    return whole.unflatten(-1, (-1, patch)).transpose(1, 2), joined[..., -patch:].clone(), total % patch


def between_patches(values: Tensor, patch: int, filled: int, samples: int) -> Tensor:
    """Draw straight lines between values, one per patch, over the samples of a block.

    `values` [batch, dims, n]: the first two belong to the ends of the patch in which the block starts after
    `filled` samples, each further one to the end of the next patch. Returns [batch, dims, samples].
    """
    ramp = torch.arange(patch, dtype=values.dtype, device=values.device) / patch
    lines = torch.lerp(values[..., :-1, None], values[..., 1:, None], ramp)
    return lines.flatten(-2)[..., filled : filled + samples]
