"""The past that a layer with a long memory needs, kept so that a block costs no more than its own length.

What is kept is either exactly the past, or a row that grows: its first column counts the columns in use, and
behind them lies room. A block is written there, and what was kept before still says how far it reached,
so nothing that a caller may hold ever changes. A row that somebody else has grown meanwhile is known by its
count, and copied.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fxkit_signal.dilated import past_after

# Below so many numbers, to copy the past is cheaper than to look whether one must.
_FEW = 1 << 16
# Counts are kept as float32.
_LONGEST = 1 << 23


def recalled(kept: Tensor, reach: int) -> Tensor:
    """Return the past, [batch, channels, reach], of what was kept of a signal."""
    more = kept.shape[-1] - reach
    return kept.narrow(-1, more, reach) if more else kept


def kept_after(signal: Tensor, kept: Tensor, reach: int) -> Tensor:
    """Return what to keep after `signal` [batch, channels, samples] so that `reach` samples can be recalled.

    `kept` is the same from before, or any tensor [batch, channels, reach]; it recalls what it did. Twice the
    reach takes memory, and each sample is copied twice in the long run. Where gradients are recorded or
    a graph is traced, the past is copied.
    """
    if _wants_copy(signal, kept, reach):
        return past_after(signal, recalled(kept, reach))
    used, samples = kept.shape[-1], signal.shape[-1]
    if used > reach and used + samples <= _room(kept) and bool((kept[..., 0] == used).all()):
        grown = kept.data.as_strided((*kept.shape[:2], used + samples), kept.stride())
        # What is written lies behind all that was kept, so that no graph can have seen it.
        grown[..., used:] = signal
        grown[..., 0] = used + samples
        return grown
    row = signal.new_empty(*signal.shape[:2], 1 + 2 * reach)
    row[..., 1 : 1 + reach - samples] = recalled(kept, reach - samples)
    row[..., 1 + reach - samples : 1 + reach] = signal
    row[..., 0] = 1 + reach
    return row[..., : 1 + reach]


def _wants_copy(signal: Tensor, kept: Tensor, reach: int) -> bool:
    if signal.shape[-1] >= reach or signal.shape[1] * reach < _FEW or reach > _LONGEST:
        return True
    if torch.is_grad_enabled() or torch.compiler.is_compiling():
        return True
    exact = signal.dtype in (torch.float32, torch.float64) and kept.dtype == signal.dtype
    return not exact or kept.is_inference() != torch.is_inference_mode_enabled()


def _room(kept: Tensor) -> int:
    """Return how many columns a row can have before the next one or the end of the memory begins."""
    batch, channels, _ = kept.shape
    item, row, sample = kept.stride()
    if sample != 1:
        return 0
    numbers = kept.untyped_storage().nbytes() // kept.element_size()
    last = kept.storage_offset() + (batch - 1) * item + (channels - 1) * row
    apart = [step for step, count in ((row, channels), (item, batch)) if count > 1]
    return int(min([numbers - last, *apart]))
