"""The number types in which training computes, and the scale that keeps small gradients above zero."""

from __future__ import annotations

import torch
from torch.amp.grad_scaler import GradScaler

from fxkit.errors import RunError
from fxkit.experiment.tables import Precision

_HALVES: dict[str, torch.dtype | None] = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def half_for(precision: Precision, device: str) -> torch.dtype | None:
    """Return the half-precision type, None for float32.

    Raises `RunError` where the device cannot train in it.
    """
    reason = _refusal(precision, torch.device(device).type)
    if reason:
        raise RunError(f'train.precision: "{precision}" cannot be used on {device}: {reason}')
    return _HALVES[precision]


def _refusal(precision: Precision, kind: str) -> str | None:
    if precision == "fp16" and kind == "cpu":
        return 'torch has no recurrent networks in fp16 there; write "bf16", or "float32", which is faster'
    if precision == "bf16" and kind == "cuda" and not torch.cuda.is_bf16_supported():
        return 'the GPU does not have it; write "fp16"'
    return None


def scaler_for(precision: Precision, device: str) -> GradScaler:
    """Return the gradient scaler; it does nothing except for fp16, whose range is narrow."""
    return GradScaler(torch.device(device).type, enabled=precision == "fp16")
