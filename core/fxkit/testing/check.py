"""How a check measures and complains."""

from __future__ import annotations

import torch


def promise(kept: bool, case_or_spec: object, text: str) -> None:
    """Raise `AssertionError` naming the plugin and what it does not keep."""
    if not kept:
        spec = getattr(case_or_spec, "spec", case_or_spec)
        raise AssertionError(f"{type(spec).__module__}.{type(spec).__name__} {text}")


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest difference, relative to the peak of `expected` where that exceeds 1."""
    if expected.numel() == 0:
        return 0.0
    scale = max(1.0, float(expected.detach().abs().max()))
    return float((found - expected).detach().abs().max()) / scale


def first_change(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-6) -> int | None:
    """Return the first index in time at which two series differ, or None where they never do."""
    scale = max(1e-6, float(expected.detach().abs().max()))
    differs = ((found - expected).abs() > tolerance * scale).flatten(0, -2).any(dim=0)
    return int(differs.nonzero()[0]) if bool(differs.any()) else None
