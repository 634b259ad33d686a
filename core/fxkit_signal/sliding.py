"""Largest value and mean over the last samples, block by block."""

from __future__ import annotations

import torch
from torch import Tensor


def sliding_max(values: Tensor, window: int, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the largest of the last `window` values at every sample.

    `values` [..., samples] >= 0; `state` [..., window - 1] holds the values before, None means zeros.
    Returns the maxima and the next state. Takes log2(window) passes (windows of doubling length, the
    last two overlapping).
    """
    joined, after = _joined(values, window, state)
    length = 1
    while 2 * length <= window:
        joined = torch.maximum(joined[..., length:], joined[..., :-length])
        length *= 2
    rest = window - length
    return (torch.maximum(joined[..., rest:], joined[..., :-rest]) if rest else joined), after


def sliding_mean(values: Tensor, window: int, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the mean of the last `window` values at every sample; shapes as in `sliding_max`.

    The sums run in float64.
    """
    joined, after = _joined(values, window, state)
    sums = torch.nn.functional.pad(joined.double().cumsum(-1), (1, 0))
    return ((sums[..., window:] - sums[..., :-window]) / window).to(values.dtype), after


def _joined(values: Tensor, window: int, state: Tensor | None) -> tuple[Tensor, Tensor]:
    past = values.new_zeros(*values.shape[:-1], window - 1) if state is None else state
    joined = torch.cat((past, values), dim=-1)
    return joined, joined[..., values.shape[-1] :]
